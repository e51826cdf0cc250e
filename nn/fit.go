package nn

import (
	"errors"
	"fmt"

	"github.com/clipcap-go/clipcap/internal/gpu"
)

// ErrMemory is wrapped by errors of a device that has no room for something.
var ErrMemory = gpu.ErrMemory

// ErrLost is wrapped by errors of a device that failed. What it held is lost with it, and so is every backend on it.
var ErrLost = gpu.ErrLost

// FitError is a want of memory that a smaller batch would have avoided.
type FitError struct {
	Err   error
	Batch int // the largest that fits, 0: none does
	// One is what a batch of one would take beside what was allocated before, Room what there was, bytes.
	One, Room int64
}

// Error names the batch.
func (e *FitError) Error() string {
	if e.Batch > 0 {
		return fmt.Sprintf("%v; a batch of %d would fit", e.Err, e.Batch)
	}
	return fmt.Sprintf("%v; not even a batch of 1 fits: it takes %s, there is room for %s", e.Err, gpu.Bytes(e.One), gpu.Bytes(e.Room))
}

// Unwrap is the want of memory.
func (e *FitError) Unwrap() error { return e.Err }

// FitBatch is err, unless a GPU had no room: then it is a FitError with the largest batch that would fit. build prepares on
// a backend what failed, for a batch of so many, and gives what runs a step of it; it is tried with smaller batches on
// backends that keep account of memory and compute nothing. held tells that what build allocates was still allocated on be
// when the error came.
func FitBatch(err error, be Backend, batch int, held bool, build func(be Backend, batch int) (run func() error, err error)) error {
	g, ok := be.(*GPU)
	var already *FitError
	if !ok || g.dry || !errors.Is(err, ErrMemory) || errors.As(err, &already) {
		return err
	}
	room, e := g.dev.Room()
	if e != nil {
		return err
	}
	if held {
		r := g.rehearse(1 << 50)
		before := r.dev.Used()
		if _, e := build(r, batch); e != nil {
			return err
		}
		room += r.dev.Used() - before
	}
	// The driver hands memory out in pieces, so not all of it can be used.
	room -= room / 50
	fits := func(batch int) bool {
		run, e := build(g.rehearse(room), batch)
		return e == nil && run() == nil
	}
	low, high := 0, batch // low fits, high does not
	for high-low > 1 {
		if mid := (low + high) / 2; fits(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	f := &FitError{Err: err, Batch: low, Room: room}
	if low == 0 {
		r := g.rehearse(1 << 50)
		before := r.dev.Used()
		run, e := build(r, 1)
		if e == nil {
			e = run()
		}
		if e != nil || batch == 0 {
			return err
		}
		f.One = r.dev.Used() - before
		if f.One <= room { // a batch of 1 was what failed, and would fit by this account: no advice is better than a wrong one
			return err
		}
	}
	return f
}
