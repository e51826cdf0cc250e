package gpu

import (
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"slices"
	"sync"
	"unsafe"
)

// Device runs kernels through a Driver. Its methods may be called from any goroutine; launches are queued in the order
// of the calls.
type Device struct {
	mu      sync.Mutex
	driver  Driver
	info    Info
	queue   []Launch
	args    []uint64 // behind the queue's Args
	scratch map[string]scratch
	graphs  map[uint64]*captured
	tick    int // counts flushes, for graphs to be forgotten by
	seed    maphash.Seed
	tables  []*tables
	used    int64

	failed error // of what could not be queued; the next flush returns it, and runs nothing

	raw    Driver // without the guard
	blas   bool   // products may go to cuBLASLt
	always bool   // also those that are no larger than our own kernels do well
}

// scratch is memory that a kernel needs besides its arguments, kept and grown.
type scratch struct {
	ptr   Ptr
	bytes int
}

// captured is a sequence of launches that was flushed before.
type captured struct {
	launches []Launch
	graph    Graph // nil until it has come twice
	seen     int
	last     int // tick
}

const (
	graphAfter = 2  // how often a sequence must have come before it is captured
	graphLeast = 8  // shorter sequences are not worth a graph
	graphsMost = 32 // kept at a time
)

// NewDevice loads the kernels through a driver, which the device owns from then on.
func NewDevice(d Driver) (*Device, error) {
	if err := d.Load(PTX()); err != nil {
		d.Close()
		return nil, fmt.Errorf("load kernels: %w", err)
	}
	return &Device{driver: &guard{Driver: d}, raw: d, info: d.Info(), scratch: map[string]scratch{}, graphs: map[uint64]*captured{}, seed: maphash.MakeSeed()}, nil
}

// Info describes the device.
func (d *Device) Info() Info { return d.info }

// Close waits for what was queued and gives everything back that the device itself holds.
func (d *Device) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.flush()
	for _, g := range d.graphs {
		if g.graph != nil {
			d.driver.Drop(g.graph)
		}
	}
	for _, s := range d.scratch {
		if e := d.driver.Free(s.ptr); err == nil {
			err = e
		}
	}
	if e := d.dropTables(); err == nil {
		err = e
	}
	clear(d.graphs)
	clear(d.scratch)
	if e := d.driver.Close(); err == nil {
		err = e
	}
	return err
}

// Alloc gives zeroed memory.
func (d *Device) Alloc(bytes int) (Ptr, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p, err := d.alloc(bytes)
	if err != nil {
		return 0, err
	}
	if err := d.driver.Clear(p, (bytes+3)/4*4); err != nil {
		d.used -= int64(bytes)
		_ = d.driver.Free(p)
		return 0, fmt.Errorf("clear %d bytes: %w", bytes, err)
	}
	return p, nil
}

func (d *Device) alloc(bytes int) (Ptr, error) {
	p, err := d.driver.Alloc((bytes + 3) / 4 * 4)
	if err != nil {
		return 0, d.noRoom(bytes, err)
	}
	d.used += int64(bytes)
	return p, nil
}

// Free gives memory of so many bytes back, after everything queued.
func (d *Device) Free(p Ptr, bytes int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.flush(); err != nil {
		return err
	}
	d.forgetGraphs()
	d.used -= int64(bytes)
	return d.driver.Free(p)
}

// forgetGraphs drops all captured sequences: they may hold addresses that mean something else from now on.
func (d *Device) forgetGraphs() {
	for k, g := range d.graphs {
		if g.graph != nil {
			d.driver.Drop(g.graph)
		}
		delete(d.graphs, k)
	}
}

// Upload copies numbers to the device, after everything queued.
func Upload[T float32 | int32 | uint64 | uint16 | int8](d *Device, dst Ptr, src []T) error {
	if len(src) == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.flush(); err != nil {
		return err
	}
	return d.driver.Upload(dst, bytesOf(src))
}

// Download copies floats or integers from the device when all that was queued is done.
func Download[T float32 | int32](d *Device, dst []T, src Ptr) error {
	if len(dst) == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.flush(); err != nil {
		return err
	}
	return d.driver.Download(bytesOf(dst), src)
}

// Rows downloads rows of a matrix in any form, from first on, as float32. Those in float32 must lie end to end.
func (d *Device) Rows(dst []float32, m Matrix, first int) error {
	if len(dst) == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	n := len(dst) / m.Cols
	part := m.rows(first, n)
	if part.Ptr == 0 {
		var err error
		if part, err = d.widened(part); err != nil {
			return err
		}
	}
	if err := d.flush(); err != nil {
		return err
	}
	if part.Stride == part.Cols {
		return d.driver.Download(bytesOf(dst), part.Ptr)
	}
	for i := range n {
		if err := d.driver.Download(bytesOf(dst[i*m.Cols:][:m.Cols]), part.rows(i, 1).Ptr); err != nil {
			return err
		}
	}
	return nil
}

// bytesOf is the memory of a slice.
func bytesOf[T float32 | int32 | uint64 | uint16 | int8](s []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(s[0])))
}

// Flush hands over what is queued; it does not wait.
func (d *Device) Flush() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.flush()
}

// Sync waits for everything queued.
func (d *Device) Sync() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.flush(); err != nil {
		return err
	}
	return d.driver.Sync()
}

func (d *Device) flush() error {
	if err := d.failed; err != nil {
		d.failed, d.queue, d.args = nil, d.queue[:0], d.args[:0]
		return err
	}
	if len(d.queue) == 0 {
		return nil
	}
	defer func() { d.queue, d.args = d.queue[:0], d.args[:0] }()
	d.tick++
	if len(d.queue) >= graphLeast {
		key := d.hash()
		g := d.graphs[key]
		switch {
		case g == nil:
			d.makeRoom()
			g = &captured{launches: copyLaunches(d.queue)}
			d.graphs[key] = g
		case !slices.EqualFunc(g.launches, d.queue, sameLaunch): // two sequences of one hash
			g = &captured{}
		}
		g.seen++
		g.last = d.tick
		if g.graph == nil && g.seen > graphAfter {
			var err error
			if g.graph, err = d.driver.Capture(g.launches); errors.Is(err, ErrMemory) {
				g.seen, g.graph, err = 0, nil, nil // no room for a graph: the launches go one by one
			} else if err != nil {
				return fmt.Errorf("capture %d launches: %w", len(g.launches), err)
			}
		}
		if g.graph != nil {
			if err := d.driver.Replay(g.graph); err != nil {
				return fmt.Errorf("replay %d launches: %w", len(g.launches), err)
			}
			return nil
		}
	}
	for i := range d.queue {
		if err := d.driver.Launch(&d.queue[i]); err != nil {
			return fmt.Errorf("launch %s: %w", d.queue[i].Kernel, err)
		}
	}
	return nil
}

// makeRoom forgets the sequence that has not come for longest when there are too many.
func (d *Device) makeRoom() {
	if len(d.graphs) < graphsMost {
		return
	}
	var oldest uint64
	last := math.MaxInt
	for k, g := range d.graphs {
		if g.last < last {
			oldest, last = k, g.last
		}
	}
	if g := d.graphs[oldest].graph; g != nil {
		d.driver.Drop(g)
	}
	delete(d.graphs, oldest)
}

func (d *Device) hash() uint64 {
	var h maphash.Hash
	h.SetSeed(d.seed)
	for i := range d.queue {
		l := &d.queue[i]
		h.WriteString(l.Kernel)
		for _, n := range [...]int{l.Grid[0], l.Grid[1], l.Grid[2], l.Block[0], l.Shared} {
			maphash.WriteComparable(&h, n)
		}
		if len(l.Args) > 0 {
			h.Write(bytesOf(l.Args))
		}
	}
	return h.Sum64()
}

func sameLaunch(a, b Launch) bool {
	return a.Kernel == b.Kernel && a.Grid == b.Grid && a.Block == b.Block && a.Shared == b.Shared && slices.Equal(a.Args, b.Args)
}

func copyLaunches(ls []Launch) []Launch {
	out := slices.Clone(ls)
	for i := range out {
		out[i].Args = slices.Clone(out[i].Args)
	}
	return out
}

// run queues a launch. Arguments are Ptr, int, int32, uint32, uint64, float32 and bool.
func (d *Device) run(kernel string, grid, block [3]int, shared int, args ...any) {
	at := len(d.args)
	for _, a := range args {
		d.args = append(d.args, word(a))
	}
	d.queue = append(d.queue, Launch{Kernel: kernel, Grid: grid, Block: block, Shared: shared, Args: d.args[at:len(d.args):len(d.args)]})
}

// word is an argument as the driver takes it.
func word(a any) uint64 {
	switch v := a.(type) {
	case Ptr:
		return uint64(v)
	case int:
		return uint64(v)
	case int32:
		return uint64(v)
	case uint32:
		return uint64(v)
	case uint64:
		return v
	case float32:
		return uint64(math.Float32bits(v))
	case bool:
		if v {
			return 1
		}
		return 0
	}
	panic(fmt.Sprintf("gpu: argument of type %T", a))
}

// temporary is scratch memory of a name, for at least so many bytes.
func (d *Device) temporary(name string, bytes int) (Ptr, error) {
	s := d.scratch[name]
	if s.bytes >= bytes {
		return s.ptr, nil
	}
	if s.ptr != 0 {
		if err := d.flush(); err != nil {
			return 0, err
		}
		d.forgetGraphs()
		delete(d.scratch, name)
		d.used -= int64(s.bytes)
		if err := d.driver.Free(s.ptr); err != nil {
			return 0, err
		}
	}
	p, err := d.alloc(bytes)
	if err != nil {
		return 0, err
	}
	d.scratch[name] = scratch{p, bytes}
	return p, nil
}

// up is a/b rounded up.
func up(a, b int) int { return (a + b - 1) / b }

// line is a grid or block of one dimension.
func line(n int) [3]int { return [3]int{n, 1, 1} }
