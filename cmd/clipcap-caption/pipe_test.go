//go:build unix

package main

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
)

// TestPipes holds that a pipe nobody writes to costs an error that names it, in a folder or by itself, and that one somebody writes
// to is read, a list or an image.
func TestPipes(t *testing.T) {
	world(t)
	for _, name := range []string{"pipe", "pipe.jpg", "photos/6.png"} {
		if err := syscall.Mkfifo(name, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	in := func(args ...string) (status int, out, log string) {
		t.Helper()
		testkit.Within(t, args, func() { status, out, log = call(t, args...) })
		return status, out, log
	}
	args := []string{"--model", "model", "--clip", "random:clip.json", "--max-tokens", "4"}
	for want, more := range map[string][]string{
		"pipe: nothing came through this pipe":               {"pipe"},
		"images pipe.jpg":                                    {"pipe.jpg"},
		"images pipe: read pipe: nothing came":               {"--images", "pipe"},
		"clipcap-caption: 6.png: not a regular file":         {"photos"},
		"open pipe: not a regular file":                      {"--model", "pipe", "photos/7.png"},
		"clip: open pipe":                                    {"--clip", "pipe", "photos/7.png"},
		"random CLIP: read pipe: nothing came through":       {"--clip", "random:pipe", "photos/7.png"},
		"read pipe: nothing came through this pipe: nobody ": {"--config", "pipe", "photos/7.png"},
	} {
		status, out, log := in(append(args, more...)...)
		if status == 0 || !strings.Contains(strings.ToLower(log), strings.ToLower(want)) {
			t.Errorf("%v: status %d, %q, %q; want %q", more, status, out, log, want)
		}
		if more[0] == "photos" && strings.Count(out, "\n") != 2 {
			t.Errorf("%v: %q, want a line for each of the other two", more, out)
		}
	}
	features := []string{"--model", "model", "--features", "pipe"}
	if status, _, log := in(features...); status == 0 || !strings.Contains(log, "features pipe: open pipe: not a regular file") {
		t.Errorf("%v: status %d, %q", features, status, log)
	}
	photo, err := os.ReadFile("photos/7.png")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range [][]byte{photo, []byte("photos/7.png\nphotos/8.png\n")} {
		testkit.FillPipe(t, "pipe", text)
		if status, out, log := in(append(args, "pipe")...); status != 0 || !strings.Contains(out, "\n") {
			t.Errorf("%.10q through a pipe: status %d, %q, %q", text, status, out, log)
		}
	}
}
