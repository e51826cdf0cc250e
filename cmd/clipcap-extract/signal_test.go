//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clipcap-go/clipcap/internal/testkit"
)

// TestInterrupt sends the process what Ctrl-C sends, once a shard is there: one line says how to go on, what is there is whole, and a
// resumed run ends as one that was left alone.
func TestInterrupt(t *testing.T) {
	config, images := fixture(t, 600)
	dir := t.TempDir()
	whole, part := filepath.Join(dir, "whole"), filepath.Join(dir, "part")
	command := func(out string, log *bytes.Buffer) *exec.Cmd {
		c := testkit.Command("--clip", "random:"+config, "--images", images, "--out", out, "--shard-size", "2", "--batch", "2", "--resume")
		c.Stderr = log
		return c
	}
	var log bytes.Buffer
	c := command(part, &log)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(filepath.Join(part, "00000.json")); err == nil {
			break
		} else if time.Now().After(deadline) {
			c.Process.Kill()
			t.Fatalf("no shard in a minute: %s", log.String())
		}
	}
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	err := c.Wait()
	if c.ProcessState.ExitCode() != 1 || !strings.Contains(log.String(), "clipcap-extract: interrupted; the shards that are done stay in "+part) || !strings.Contains(log.String(), "--resume") {
		t.Fatalf("%v, %q", err, log.String())
	}
	done, err := filepath.Glob(filepath.Join(part, "?????.json"))
	if err != nil || len(done) == 0 || len(done) == 300 {
		t.Errorf("%d of 300 shards are done (%v)", len(done), err)
	}
	if left, _ := filepath.Glob(filepath.Join(part, "*.tmp")); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
	for _, out := range []string{part, whole} {
		log.Reset()
		if err := command(out, &log).Run(); err != nil {
			t.Fatalf("%v: %s", err, log.String())
		}
	}
	entries, err := os.ReadDir(whole)
	if err != nil || len(entries) != 901 {
		t.Fatalf("%d files, want three for each of 300 shards and meta.json (%v)", len(entries), err)
	}
	for _, e := range entries {
		want, err := os.ReadFile(filepath.Join(whole, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(part, e.Name())); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s differs (%v)", e.Name(), err)
		}
	}
}
