//go:build unix

package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
)

// TestPipes holds that pipes nobody writes to cost errors that name them, not the run.
func TestPipes(t *testing.T) {
	config, images := fixture(t, 2)
	pipe := filepath.Join(t.TempDir(), "pipe")
	for _, path := range []string{pipe, pipe + ".tar", pipe + ".tsv", pipe + ".npy", filepath.Join(images, "z.jpg")} {
		if err := syscall.Mkfifo(path, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		status int
		want   string
		args   []string
	}{
		{0, "2 of 3 images with a feature, in 1 shard of", []string{"--clip", "random:" + config, "--images", images}},
		{0, "z.jpg: not a regular file", []string{"--clip", "random:" + config, "--images", images}},
		{1, "images " + pipe + ": read " + pipe + ": nothing came through this pipe", []string{"--clip", "random:" + config, "--images", pipe}},
		{1, "open " + pipe + ".tar: not a regular file", []string{"--clip", "random:" + config, "--images", filepath.Join(filepath.Dir(pipe), "*.tar")}},
		{1, pipe + ".npy: nothing came", []string{"--clip", "random:" + config, "--images", pipe + ".npy"}},
		{1, "read " + pipe + ": nothing came", []string{"--clip", "random:" + config, "--images", images, "--annotations", pipe}},
		{1, "open " + pipe + ": not a regular file", []string{"--clip", pipe, "--images", images}},
		{1, "read " + pipe + ": nothing came", []string{"--clip", "random:" + pipe, "--images", images}},
	} {
		var stdout, stderr bytes.Buffer
		status := 0
		testkit.Within(t, c.args, func() {
			status = program().Run(context.Background(), append(c.args, "--out", t.TempDir()), &stdout, &stderr)
		})
		if status != c.status || !strings.Contains(stdout.String()+stderr.String(), c.want) {
			t.Errorf("%v: status %d, %q %q; want %d and %q", c.args, status, stdout.String(), stderr.String(), c.status, c.want)
		}
	}
}
