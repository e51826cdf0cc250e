package gpu

import (
	"errors"
	"fmt"
)

// guard is a Driver that has nothing more to do with a device once a call failed for anything but want of memory. Memory
// may still be given back.
type guard struct {
	Driver
	lost error
}

// do makes a call, unless the device is lost. want is whether want of memory leaves everything as it was.
func (g *guard) do(want bool, f func() error) error {
	if g.lost != nil {
		return g.lost
	}
	err := f()
	if err != nil && !(want && errors.Is(err, ErrMemory)) {
		g.lost = fmt.Errorf("%w: %w", ErrLost, err)
		return g.lost
	}
	return err
}

func (g *guard) Room() (n int64, err error) {
	err = g.do(false, func() (err error) { n, err = g.Driver.Room(); return err })
	return n, err
}

func (g *guard) Alloc(bytes int) (p Ptr, err error) {
	err = g.do(true, func() (err error) { p, err = g.Driver.Alloc(bytes); return err })
	return p, err
}

func (g *guard) Upload(dst Ptr, src []byte) error {
	return g.do(false, func() error { return g.Driver.Upload(dst, src) })
}

func (g *guard) Download(dst []byte, src Ptr) error {
	return g.do(false, func() error { return g.Driver.Download(dst, src) })
}

func (g *guard) Clear(dst Ptr, bytes int) error {
	return g.do(false, func() error { return g.Driver.Clear(dst, bytes) })
}

func (g *guard) Launch(l *Launch) error {
	return g.do(false, func() error { return g.Driver.Launch(l) })
}

func (g *guard) Capture(ls []Launch) (x Graph, err error) {
	err = g.do(true, func() (err error) { x, err = g.Driver.Capture(ls); return err })
	return x, err
}

func (g *guard) Replay(x Graph) error {
	return g.do(false, func() error { return g.Driver.Replay(x) })
}

func (g *guard) Sync() error { return g.do(false, g.Driver.Sync) }
