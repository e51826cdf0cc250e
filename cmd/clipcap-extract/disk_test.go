package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
)

// extraction runs the command in shards of two images.
func extraction(t *testing.T, config, images, out string) (status int, log string) {
	t.Helper()
	var b bytes.Buffer
	status = program().Run(t.Context(), []string{"--clip", "random:" + config, "--images", images, "--out", out, "--shard-size", "2", "--batch", "2", "--resume"}, &b, &b)
	return status, b.String()
}

// sameSet holds that two feature sets are the same files.
func sameSet(t *testing.T, got, want string) {
	t.Helper()
	entries, err := os.ReadDir(want)
	if err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(got); err != nil || len(left) != len(entries) {
		t.Errorf("%d files, want %d (%v)", len(left), len(entries), err)
	}
	for _, e := range entries {
		a, err := os.ReadFile(filepath.Join(want, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(filepath.Join(got, e.Name())); err != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs (%v)", e.Name(), err)
		}
	}
}

// TestDiskFull lets the disk run full between two shards: one line names the file, what is done stays whole, nothing half is left, and with room
// again a resumed run ends as one that had it all along.
func TestDiskFull(t *testing.T) {
	config, images := fixture(t, 24)
	whole := filepath.Join(t.TempDir(), "whole")
	if status, log := extraction(t, config, images, whole); status != 0 {
		t.Fatal(log)
	}
	dir, enlarge := testkit.SmallDisk(t, int64(20*os.Getpagesize())) // a shard's files take three pages
	status, log := extraction(t, config, images, dir)
	if status != 1 || !strings.Contains(log, "clipcap-extract: extract features: write shard ") || !strings.Contains(log, dir) || !strings.Contains(log, "no space left on device") || strings.Count(log, "\n") != 1 {
		t.Fatalf("status %d, %q", status, log)
	}
	done, _ := filepath.Glob(filepath.Join(dir, "?????.json"))
	if len(done) == 0 || len(done) == 12 {
		t.Errorf("%d shards of 12 are done", len(done))
	}
	for _, path := range done {
		for _, ext := range []string{".json", ".jsonl", ".npy"} {
			name := strings.TrimSuffix(filepath.Base(path), ".json") + ext
			a, err := os.ReadFile(filepath.Join(dir, name))
			if b, err2 := os.ReadFile(filepath.Join(whole, name)); err != nil || err2 != nil || !bytes.Equal(a, b) {
				t.Errorf("%s differs (%v, %v)", name, err, err2)
			}
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.tmp")); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
	if status, log := extraction(t, config, images, dir); status != 1 || !strings.Contains(log, "no space left on device") {
		t.Errorf("resumed without room: status %d, %q", status, log)
	}
	enlarge(8 << 20)
	if status, log := extraction(t, config, images, dir); status != 0 {
		t.Fatal(log)
	}
	sameSet(t, dir, whole)
}

// TestFullDevice is TestDiskFull for who may not mount: what one file is written to is always full.
func TestFullDevice(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no device that is always full here")
	}
	config, images := fixture(t, 6)
	dir := t.TempDir()
	whole, part := filepath.Join(dir, "whole"), filepath.Join(dir, "part")
	if status, log := extraction(t, config, images, whole); status != 0 {
		t.Fatal(log)
	}
	if err := os.Mkdir(part, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/dev/full", filepath.Join(part, "00001.npy.tmp")); err != nil {
		t.Skip(err)
	}
	status, log := extraction(t, config, images, part)
	if status != 1 || !strings.Contains(log, "clipcap-extract: extract features: write shard 1: ") || !strings.Contains(log, "00001.npy") || !strings.Contains(log, "no space left on device") || strings.Count(log, "\n") != 1 {
		t.Fatalf("status %d, %q", status, log)
	}
	if status, log := extraction(t, config, images, part); status != 0 {
		t.Fatal(log)
	}
	sameSet(t, part, whole)
}
