package gpu

import (
	"fmt"
	"slices"

	"github.com/clipcap-go/clipcap/internal/gpu/cublas"
)

// Event is one call that a Recorder saw.
type Event struct {
	Call   string // the Driver's method
	Ptr    Ptr
	Bytes  int
	Launch Launch
}

// Recorder is a Driver for tests. It writes down what it is asked for and passes it on to Next, or, without one, hands out
// addresses of no memory and does nothing. Use of memory that is not allocated, and what is left at Close, are errors.
type Recorder struct {
	Next   Driver
	Events []Event
	// Fail, where it is set, is asked before every call but Info, Free, Drop and Close; its error becomes the call's.
	Fail func(call string, bytes int) error
	// Memory, without a next driver, is the device's, bytes; 0: much.
	Memory int64
	live   map[Ptr]int
	used   int64
	next   Ptr
}

// Forget empties Events.
func (r *Recorder) Forget() { r.Events = nil }

// Launches are the names of the kernels launched or replayed since Forget.
func (r *Recorder) Launches() (names []string) {
	for _, e := range r.Events {
		if e.Call == "Launch" {
			names = append(names, e.Launch.Kernel)
		}
	}
	return names
}

// Count is the number of calls of a method since Forget.
func (r *Recorder) Count(call string) (n int) {
	for _, e := range r.Events {
		if e.Call == call {
			n++
		}
	}
	return n
}

// note writes a call down; its error is the one that a test wants there.
func (r *Recorder) note(call string, p Ptr, bytes int) error {
	r.Events = append(r.Events, Event{Call: call, Ptr: p, Bytes: bytes})
	return r.fail(call, bytes)
}

func (r *Recorder) fail(call string, bytes int) error {
	if r.Fail == nil {
		return nil
	}
	return r.Fail(call, bytes)
}

// Info is the next driver's, or that of a large device.
func (r *Recorder) Info() Info {
	if r.Next != nil {
		return r.Next.Info()
	}
	i := Info{Name: "recorder", Memory: 80 << 30, Shared: 227 << 10, Compute: 90}
	if r.Memory > 0 {
		i.Memory = r.Memory
	}
	return i
}

// Room is the next driver's.
func (r *Recorder) Room() (int64, error) {
	if r.Next != nil {
		return r.Next.Room()
	}
	return r.Info().Memory - r.used, nil
}

// Blas is the next driver's; without one products are taken as all launches are.
func (r *Recorder) Blas() error {
	if b, ok := r.Next.(BlasDriver); ok || r.Next == nil {
		if b != nil {
			return b.Blas()
		}
		return nil
	}
	return errNoBlas
}

// BlasPlan is the next driver's.
func (r *Recorder) BlasPlan(p *cublas.Product) error {
	if b, ok := r.Next.(BlasDriver); ok {
		return b.BlasPlan(p)
	}
	return nil
}

// Load passes on.
func (r *Recorder) Load(ptx string) error {
	if err := r.note("Load", 0, len(ptx)); err != nil {
		return err
	}
	if r.Next != nil {
		return r.Next.Load(ptx)
	}
	return nil
}

// Alloc notes the stretch as live.
func (r *Recorder) Alloc(bytes int) (p Ptr, err error) {
	if err := r.fail("Alloc", bytes); err != nil {
		return 0, err
	}
	if r.Next != nil {
		if p, err = r.Next.Alloc(bytes); err != nil {
			return 0, err
		}
	} else {
		if r.used+int64(bytes) > r.Info().Memory {
			return 0, ErrMemory
		}
		r.next += 1 << 40
		p = r.next
	}
	if r.live == nil {
		r.live = map[Ptr]int{}
	}
	r.live[p] = bytes
	r.used += int64(bytes)
	r.Events = append(r.Events, Event{Call: "Alloc", Ptr: p, Bytes: bytes})
	return p, nil
}

// Free refuses what is not live.
func (r *Recorder) Free(p Ptr) error {
	if _, ok := r.live[p]; !ok {
		return fmt.Errorf("free of %#x, which is not allocated", p)
	}
	r.used -= int64(r.live[p])
	delete(r.live, p)
	r.Events = append(r.Events, Event{Call: "Free", Ptr: p})
	if r.Next != nil {
		return r.Next.Free(p)
	}
	return nil
}

// inside tells whether bytes at p are allocated.
func (r *Recorder) inside(p Ptr, bytes int) error {
	for at, n := range r.live {
		if p >= at && int(p-at)+bytes <= n {
			return nil
		}
	}
	return fmt.Errorf("%d bytes at %#x, which are not allocated", bytes, p)
}

// Upload passes on.
func (r *Recorder) Upload(dst Ptr, src []byte) error {
	if err := r.note("Upload", dst, len(src)); err != nil {
		return err
	}
	if err := r.inside(dst, len(src)); err != nil || r.Next == nil {
		return err
	}
	return r.Next.Upload(dst, src)
}

// Download passes on; without a next driver it leaves dst as it is.
func (r *Recorder) Download(dst []byte, src Ptr) error {
	if err := r.note("Download", src, len(dst)); err != nil {
		return err
	}
	if err := r.inside(src, len(dst)); err != nil || r.Next == nil {
		return err
	}
	return r.Next.Download(dst, src)
}

// Clear passes on.
func (r *Recorder) Clear(dst Ptr, bytes int) error {
	if err := r.note("Clear", dst, bytes); err != nil {
		return err
	}
	if err := r.inside(dst, bytes); err != nil || r.Next == nil {
		return err
	}
	return r.Next.Clear(dst, bytes)
}

// Launch passes on.
func (r *Recorder) Launch(l *Launch) error {
	c := *l
	c.Args = slices.Clone(l.Args)
	r.Events = append(r.Events, Event{Call: "Launch", Launch: c})
	if err := r.fail("Launch", 0); err != nil {
		return err
	}
	if err := l.possible(r.Info()); err != nil {
		return err
	}
	if r.Next != nil {
		return r.Next.Launch(l)
	}
	return nil
}

// Capture passes on, or keeps a copy of the launches.
func (r *Recorder) Capture(ls []Launch) (Graph, error) {
	if err := r.note("Capture", 0, len(ls)); err != nil {
		return nil, err
	}
	for i := range ls {
		if err := ls[i].possible(r.Info()); err != nil {
			return nil, err
		}
	}
	if r.Next != nil {
		return r.Next.Capture(ls)
	}
	var g []Launch
	for _, l := range ls {
		l.Args = slices.Clone(l.Args)
		g = append(g, l)
	}
	return g, nil
}

// Replay passes on.
func (r *Recorder) Replay(g Graph) error {
	if err := r.note("Replay", 0, 0); err != nil {
		return err
	}
	if r.Next != nil {
		return r.Next.Replay(g)
	}
	return nil
}

// Drop notes it.
func (r *Recorder) Drop(g Graph) {
	r.Events = append(r.Events, Event{Call: "Drop"})
	if r.Next != nil {
		r.Next.Drop(g)
	}
}

// Sync passes on.
func (r *Recorder) Sync() error {
	if err := r.note("Sync", 0, 0); err != nil {
		return err
	}
	if r.Next != nil {
		return r.Next.Sync()
	}
	return nil
}

// Close fails where memory is still allocated.
func (r *Recorder) Close() error {
	if len(r.live) > 0 {
		return fmt.Errorf("%d allocations left", len(r.live))
	}
	if r.Next != nil {
		return r.Next.Close()
	}
	return nil
}
