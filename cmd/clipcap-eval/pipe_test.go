//go:build unix

package main

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
)

// TestPipes holds that a pipe nobody writes to is an error that names it, and that results may come through one.
func TestPipes(t *testing.T) {
	dir := texts(t, inputs)
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Fatal(err)
	}
	in := func(line string) (status int, out, log string) {
		t.Helper()
		testkit.Within(t, line, func() { status, out, log = call(t, dir, line) })
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
	testkit.FillPipe(t, pipe, []byte(inputs["res.json"]))
	if status, out, log := in("--annotations DIR/refs.json --results DIR/pipe --json"); status != 0 || out != want {
		t.Errorf("results through a pipe: status %d, %q, %q, want %q", status, out, log, want)
	}
}
