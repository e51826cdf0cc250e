package gpu

import (
	"fmt"
	"slices"
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
	live   map[Ptr]int
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

func (r *Recorder) note(call string, p Ptr, bytes int) {
	r.Events = append(r.Events, Event{Call: call, Ptr: p, Bytes: bytes})
}

// Info is the next driver's, or that of a large device.
func (r *Recorder) Info() Info {
	if r.Next != nil {
		return r.Next.Info()
	}
	return Info{Name: "recorder", Memory: 80 << 30, Shared: 227 << 10, Compute: 90}
}

// Load passes on.
func (r *Recorder) Load(ptx string) error {
	r.note("Load", 0, len(ptx))
	if r.Next != nil {
		return r.Next.Load(ptx)
	}
	return nil
}

// Alloc notes the stretch as live.
func (r *Recorder) Alloc(bytes int) (p Ptr, err error) {
	if r.Next != nil {
		if p, err = r.Next.Alloc(bytes); err != nil {
			return 0, err
		}
	} else {
		r.next += 1 << 40
		p = r.next
	}
	if r.live == nil {
		r.live = map[Ptr]int{}
	}
	r.live[p] = bytes
	r.note("Alloc", p, bytes)
	return p, nil
}

// Free refuses what is not live.
func (r *Recorder) Free(p Ptr) error {
	if _, ok := r.live[p]; !ok {
		return fmt.Errorf("free of %#x, which is not allocated", p)
	}
	delete(r.live, p)
	r.note("Free", p, 0)
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
	r.note("Upload", dst, len(src))
	if err := r.inside(dst, len(src)); err != nil || r.Next == nil {
		return err
	}
	return r.Next.Upload(dst, src)
}

// Download passes on; without a next driver it leaves dst as it is.
func (r *Recorder) Download(dst []byte, src Ptr) error {
	r.note("Download", src, len(dst))
	if err := r.inside(src, len(dst)); err != nil || r.Next == nil {
		return err
	}
	return r.Next.Download(dst, src)
}

// Clear passes on.
func (r *Recorder) Clear(dst Ptr, bytes int) error {
	r.note("Clear", dst, bytes)
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
	if r.Next != nil {
		return r.Next.Launch(l)
	}
	return nil
}

// Capture passes on, or keeps a copy of the launches.
func (r *Recorder) Capture(ls []Launch) (Graph, error) {
	r.note("Capture", 0, len(ls))
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
	r.note("Replay", 0, 0)
	if r.Next != nil {
		return r.Next.Replay(g)
	}
	return nil
}

// Drop notes it.
func (r *Recorder) Drop(g Graph) {
	r.note("Drop", 0, 0)
	if r.Next != nil {
		r.Next.Drop(g)
	}
}

// Sync passes on.
func (r *Recorder) Sync() error {
	r.note("Sync", 0, 0)
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
