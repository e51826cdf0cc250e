package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/clipcap-go/clipcap/internal/testkit"
	"github.com/clipcap-go/clipcap/weights"
)

// TestMain lets the test binary stand for the command, so that it can be killed.
func TestMain(m *testing.M) { testkit.Main(m, main) }

const tiny = `{"embed_dim": 6, "quick_gelu": true, "vision_cfg": {"image_size": 64, "layers": 1, "width": 64, "patch_size": 4}}`

// fixture makes a configuration and a folder of n images.
func fixture(t *testing.T, n int) (config, images string) {
	t.Helper()
	dir := t.TempDir()
	config, images = filepath.Join(dir, "clip.json"), filepath.Join(dir, "images")
	if err := os.WriteFile(config, []byte(tiny), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(images, 0o777); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		m := image.NewGray(image.Rect(0, 0, 70+i%9, 80))
		for j := range m.Pix {
			m.Pix[j] = byte(i * j)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(images, fmt.Sprintf("%03d.png", i)), b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return config, images
}

// TestKilled kills the process without warning, several times, and compares what it leaves in the end with a run that
// was left alone.
func TestKilled(t *testing.T) {
	config, images := fixture(t, 60)
	dir := t.TempDir()
	whole, killed := filepath.Join(dir, "whole"), filepath.Join(dir, "killed")
	command := func(out string) *exec.Cmd {
		return testkit.Command("--clip", "random:"+config, "--images", images, "--out", out, "--shard-size", "4", "--batch", "4", "--resume")
	}
	if b, err := command(whole).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	for i := range 4 {
		c := command(killed)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(20+15*i) * time.Millisecond)
		c.Process.Kill()
		c.Wait()
	}
	if b, err := command(killed).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	entries, err := os.ReadDir(whole)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 46 {
		t.Errorf("%d files, want three for each of 15 shards and meta.json", len(entries))
	}
	for _, e := range entries {
		want, err := os.ReadFile(filepath.Join(whole, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(killed, e.Name())); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs (%v)", e.Name(), err)
		}
	}
}

func TestCommandLine(t *testing.T) {
	config, images := fixture(t, 3)
	if err := os.WriteFile(filepath.Join(images, "bad.jpg"), []byte("<html>"), 0o666); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	run := func(args ...string) (int, string, string) {
		var stdout, stderr bytes.Buffer
		status := program().Run(context.Background(), args, &stdout, &stderr)
		return status, stdout.String(), stderr.String()
	}
	status, stdout, stderr := run("--clip", "random:"+config, "--images", images, "--out", out, "--json")
	if status != 0 {
		t.Fatalf("status %d: %s", status, stderr)
	}
	var sum struct {
		Images, Features int
		Failed           map[string]int
	}
	if err := json.Unmarshal([]byte(stdout), &sum); err != nil || sum.Images != 4 || sum.Features != 3 || sum.Failed["not-an-image"] != 1 {
		t.Errorf("summary %s (%v)", stdout, err)
	}
	if !strings.Contains(stderr, "3 of 4 images") || !strings.Contains(stderr, "bad.jpg") {
		t.Errorf("the report %q lacks the counts or the failed image", stderr)
	}
	only := t.TempDir()
	if err := os.WriteFile(filepath.Join(only, "bad.jpg"), []byte("<html>"), 0o666); err != nil {
		t.Fatal(err)
	}
	pixels := filepath.Join(only, "pixels.npy")
	if err := weights.WriteFile(pixels, func(w io.Writer) error {
		return weights.WriteNPY(w, weights.Floats("p", []int{1, 3, 64, 64}, make([]float32, 3*64*64), weights.F32))
	}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		status int
		says   string
		args   []string
	}{
		{0, "Example", []string{"--help"}},
		{2, "--out is missing", []string{"--clip", "x", "--images", "y"}},
		{2, "precision", []string{"--precision", "half"}},
		{2, "--batch is 0", []string{"--clip", "x", "--images", "y", "--out", "z", "--batch", "0"}},
		{2, "which of them", []string{"--clip", "x", "--images", "y", "--out", "z", "--shards", "2"}},
		{2, "--shards is 0, want 1 or more", []string{"--clip", "x", "--images", "y", "--out", "z", "--shards", "0"}},
		{2, "--shard is -1, want 0", []string{"--clip", "x", "--images", "y", "--out", "z", "--shard", "-1", "--shards", "2"}},
		{2, "--shard is 2, want 0 to 1", []string{"--clip", "x", "--images", "y", "--out", "z", "--shard", "2", "--shards", "2"}},
		{2, "--retries is -1", []string{"--clip", "x", "--images", "y", "--out", "z", "--retries", "-1"}},
		{2, "--timeout is 0s", []string{"--clip", "x", "--images", "y", "--out", "z", "--timeout", "0s"}},
		{2, "--timeout \"5\": want a time with its unit", []string{"--clip", "x", "--images", "y", "--out", "z", "--timeout", "5"}},
		{2, "--split: unknown split", []string{"--clip", "x", "--images", "y", "--out", "z", "--split", "tset"}},
		{1, "is a file, want a folder", []string{"--clip", "random:" + config, "--images", "nowhere", "--out", config}},
		{1, "--clip: ", []string{"--clip", "nothing.pt", "--images", "nowhere", "--out", t.TempDir()}},
		{1, "--annotations: ", []string{"--clip", "random:" + config, "--images", "nowhere", "--annotations", "nothing.json", "--out", t.TempDir()}},
		{2, "one of them", []string{"--clip", "x", "--images", "y", "--out", "z", "--resume", "--overwrite"}},
		{1, "nowhere", []string{"--clip", "random:" + config, "--images", "nowhere", "--out", t.TempDir()}},
		{1, "nothing.pt", []string{"--clip", "nothing.pt", "--images", images, "--out", t.TempDir()}},
		{1, "not empty", []string{"--clip", "random:" + config, "--images", images, "--out", out}},
		{1, "another extraction", []string{"--clip", "random:" + config, "--images", images, "--out", out, "--resume", "--seed", "1"}},
		{2, "--seed has no effect with --clip x", []string{"--clip", "x", "--images", images, "--out", t.TempDir(), "--seed", "1"}},
		{2, "--per-host has no effect with --images " + images, []string{"--clip", "random:" + config, "--images", images, "--out", t.TempDir(), "--per-host", "1"}},
		{2, "--exif has no effect with --images " + pixels, []string{"--clip", "random:" + config, "--images", pixels, "--out", t.TempDir(), "--exif"}},
		{1, "of 1 image none could be read", []string{"--clip", "random:" + config, "--images", only, "--out", t.TempDir()}},
	} {
		status, stdout, stderr := run(c.args...)
		if status != c.status || !strings.Contains(stdout+stderr, c.says) {
			t.Errorf("%q: status %d, %q; want %d and %q", c.args, status, stdout+stderr, c.status, c.says)
		}
	}
}

// TestOverwriteShared: one of several processes may not start the set anew, whoever says that there are several.
func TestOverwriteShared(t *testing.T) {
	args := []string{"--clip", "x", "--images", "y", "--out", "z", "--overwrite"}
	refused := func(args []string) {
		t.Helper()
		var log bytes.Buffer
		if status := program().Run(t.Context(), args, &log, &log); status != 2 || !strings.Contains(log.String(), "--overwrite by one of 4 processes") {
			t.Errorf("%q: status %d, %q", args, status, log.String())
		}
	}
	refused(append(args, "--shards", "4", "--shard", "1"))
	t.Setenv("OMPI_COMM_WORLD_RANK", "1")
	t.Setenv("OMPI_COMM_WORLD_SIZE", "4")
	refused(args)
}
