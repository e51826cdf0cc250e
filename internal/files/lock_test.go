package files

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A lock is had by one, let go of by closing, and not held by a file that was left behind.
func TestTakeLock(t *testing.T) {
	if !locks {
		t.Skip("no locks here")
	}
	path := filepath.Join(t.TempDir(), "x.lock")
	if err := os.WriteFile(path, nil, 0o666); err != nil { // what SIGKILL leaves
		t.Fatal(err)
	}
	for range 2 {
		l, err := TakeLock(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := TakeLock(path); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), path) {
			t.Errorf("taken twice: error %v", err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the file is left: %v", err)
		}
	}
	if _, err := TakeLock(filepath.Join(path, "x")); err == nil {
		t.Error("in a folder that is not there: no error")
	}
}

// Of many who want a lock at once one has it at a time, though its file comes and goes.
func TestTakeLockInTurn(t *testing.T) {
	if !locks {
		t.Skip("no locks here")
	}
	path := filepath.Join(t.TempDir(), "x.lock")
	held := make(chan bool, 1)
	done := make(chan error)
	const takers = 4
	for range takers {
		go func() {
			for n := 0; n < 50; {
				l, err := TakeLock(path)
				if errors.Is(err, ErrLocked) {
					runtime.Gosched()
					continue
				} else if err != nil {
					done <- err
					return
				}
				select {
				case held <- true:
				default:
					err = errors.New("two have it")
				}
				<-held
				if err = errors.Join(err, l.Close()); err != nil {
					done <- err
					return
				}
				n++
			}
			done <- nil
		}()
	}
	for range takers {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}
