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

// FitError says that memory ran out and which smaller batch would have fitted.
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

// Unwrap is the device's error, which wraps ErrMemory.
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
	room, holds, e := g.room(batch, held, build)
	if e != nil {
		return err
	}
	fits := func(batch int) bool { return try(g.rehearse(room, holds), batch, build) == nil }
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
		r := g.rehearse(1<<50, 0)
		before := r.dev.Used()
		if e := try(r, 1, build); e != nil {
			return err
		}
		f.One = r.dev.Used() - before
		if f.One <= room { // a batch of 1 was what failed, and would fit by this account: no advice is better than a wrong one
			return err
		}
	}
	return f
}

// CheckFit is the error that steps of what build has prepared on a GPU will end with because memory runs out, or nil.
func CheckFit(be Backend, batch int, build func(be Backend, batch int) (run func() error, err error)) error {
	g, ok := be.(*GPU)
	if !ok || g.dry {
		return nil
	}
	room, holds, err := g.room(batch, true, build)
	if err != nil {
		return err
	}
	return FitBatch(try(g.rehearse(room, holds), batch, build), be, batch, true, build)
}

// room is the memory there is, bytes, with what build allocates for a batch counted in if it is held: holds.
func (g *GPU) room(batch int, held bool, build func(be Backend, batch int) (run func() error, err error)) (room, holds int64, err error) {
	if room, err = g.dev.Room(); err != nil {
		return 0, 0, err
	}
	if held {
		r := g.rehearse(1<<50, 0)
		before := r.dev.Used()
		if _, err := build(r, batch); err != nil {
			return 0, 0, err
		}
		holds = r.dev.Used() - before
		room += holds
	}
	return room - room/50, holds, nil // the driver hands memory out in pieces, so not all of it can be used
}

// try builds and runs a step.
func try(be Backend, batch int, build func(be Backend, batch int) (run func() error, err error)) error {
	run, err := build(be, batch)
	if err != nil {
		return err
	}
	return run()
}
