//go:build unix

package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestPipes holds that a pipe nobody writes to is an error that names it, and that results may come through one.
func TestPipes(t *testing.T) {
	dir := texts(t, inputs)
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Skip(err)
	}
	in := func(line string) (status int, out, log string) {
		t.Helper()
		done := make(chan struct{})
		go func() {
			defer close(done)
			status, out, log = call(t, dir, line)
		}()
		select {
		case <-done:
		case <-time.After(30 * time.Second):
			t.Fatalf("%s: still waiting", line)
		}
		return status, out, log
	}
	for _, line := range []string{"--annotations DIR/pipe --results DIR/res.json", "--annotations DIR/refs.json --results DIR/pipe",
		"--annotations DIR/refs.json --results DIR/res.json --compare DIR/pipe", "--tokenize DIR/pipe", "--config DIR/pipe"} {
		if status, out, log := in(line); status == 0 || !strings.Contains(log, "read "+pipe+": nothing came through this pipe: nobody writes to it") {
			t.Errorf("%s: status %d, %q, %q", line, status, out, log)
		}
	}
	for _, line := range []string{"--annotations DIR/refs.json --model DIR/pipe --features DIR/pipe", "--annotations DIR/refs.json --results DIR/res.json --meteor DIR/pipe"} {
		if status, out, log := in(line); status == 0 || !strings.Contains(log, pipe) {
			t.Errorf("%s: status %d, %q, %q", line, status, out, log)
		}
	}
	_, want, _ := in("--annotations DIR/refs.json --results DIR/res.json --json")
	full(t, pipe, []byte(inputs["res.json"]))
	if status, out, log := in("--annotations DIR/refs.json --results DIR/pipe --json"); status != 0 || out != want {
		t.Errorf("results through a pipe: status %d, %q, %q, want %q", status, out, log, want)
	}
}

// full leaves text in a pipe, as a writer does that is done. It stays there while somebody holds the pipe open.
func full(t *testing.T, pipe string, text []byte) {
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
