package files

import (
	"errors"
	"fmt"
	"os"
)

// ErrLocked says that another process holds a lock.
var ErrLocked = errors.New("another process is at work there")

// A Lock is a file that one process holds. The system lets go of it when the process ends, in whatever way; a file that is left behind
// then locks nothing.
type Lock struct{ f *os.File }

// TakeLock makes the file and holds it until Close. The error wraps ErrLocked where another process has it. On systems and disks that know
// no locks, all may have it; such a system makes no file.
func TakeLock(path string) (*Lock, error) {
	if !locks {
		return &Lock{}, nil
	}
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			return nil, err
		}
		if err := lock(f); err != nil {
			f.Close()
			return nil, fmt.Errorf("%w (it holds %s)", err, path)
		}
		held, err := f.Stat()
		if now, e := os.Stat(path); err == nil && e == nil && os.SameFile(held, now) {
			return &Lock{f}, nil
		}
		f.Close() // who had it before has removed it meanwhile
		if err != nil {
			return nil, err
		}
	}
}

// Close removes the file and lets go of it. Closing again does nothing.
func (l *Lock) Close() error {
	if l.f == nil {
		return nil
	}
	os.Remove(l.f.Name()) // while it is held: what another one makes then is its own
	err := l.f.Close()
	l.f = nil
	return err
}
