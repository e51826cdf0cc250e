//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
)

// TestPipes holds that a pipe nobody writes to is an error that names it, and that captions may come through one.
func TestPipes(t *testing.T) {
	w := newWorld(t)
	pipe := filepath.Join(w.dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Fatal(err)
	}
	in := func(args ...string) (status int, log string) {
		t.Helper()
		testkit.Within(t, args, func() { status, _, log = call(t, t.Context(), args...) })
		return status, log
	}
	none, not := "read "+pipe+": nothing came through this pipe: nobody writes to it", "open "+pipe+": not a regular file"
	for _, c := range [][]string{
		{none, "--captions", pipe}, {not, "--features", pipe}, {none, "--gpt2", "random:" + pipe}, {not, "--gpt2", pipe}, {not, "--init", pipe},
		{not, "--val-features", pipe, "--val-captions", w.captions}, {none, "--val-features", w.features, "--val-captions", pipe}, {none, "--config", pipe},
	} {
		if status, log := in(w.args("run", append([]string{"--steps", "1"}, c[1:]...)...)...); status == 0 || !strings.Contains(log, c[0]) {
			t.Errorf("%v: status %d, %q; want %q", c[1:], status, log, c[0])
		}
	}
	text, err := os.ReadFile(w.captions)
	if err != nil {
		t.Fatal(err)
	}
	testkit.FillPipe(t, pipe, text)
	if status, log := in(w.args("run", "--steps", "1", "--captions", pipe)...); status != 0 {
		t.Errorf("captions through a pipe: status %d, %q", status, log)
	}
	// What is read more than once: to hold a share out, and to score captions written.
	temp := filepath.Join(w.dir, "temp")
	t.Setenv("TMPDIR", temp)
	if err := os.Mkdir(temp, 0o755); err != nil {
		t.Fatal(err)
	}
	for i, c := range [][]string{{"--captions", "--val-share", "0.4", "--batch-size", "2"}, {"--captions", "--train-images", "2"}, {"--val-captions"}} {
		pipe := filepath.Join(w.dir, fmt.Sprint("pipe", i))
		if err := syscall.Mkfifo(pipe, 0o666); err != nil {
			t.Fatal(err)
		}
		testkit.FillPipe(t, pipe, text)
		args := append([]string{"--steps", "1", "--overwrite", c[0], pipe}, c[1:]...)
		if status, log := in(w.args("run", args...)...); status != 0 {
			t.Errorf("%v: status %d, %q", args, status, log)
		}
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}
