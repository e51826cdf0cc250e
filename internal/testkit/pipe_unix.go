//go:build unix

package testkit

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"
)

// FillPipe leaves text, no more than a pipe holds (64 KiB), in the named pipe, as a writer does that is done. It stays there until the test ends.
func FillPipe(t testing.TB, pipe string, text []byte) {
	t.Helper()
	keep, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keep.Close() })
	w, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(text)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
}

// Within fails the test, naming what, when f has not returned after a minute.
func Within(t testing.TB, what any, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Fatalf("%v: still waiting", what)
	}
}
