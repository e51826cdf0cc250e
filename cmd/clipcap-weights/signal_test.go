//go:build unix

package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clipcap-go/clipcap/internal/testkit"
)

// TestMain lets the test binary stand for the command, so that it can be interrupted.
func TestMain(m *testing.M) { testkit.Main(m, main) }

// TestInterruptFetch sends the process what Ctrl-C sends in the middle of a download: one line says how to go on, what has arrived is kept under a
// name that stands for no model, and the same command asks for the rest alone.
func TestInterruptFetch(t *testing.T) {
	file := bytes.Repeat([]byte("weights "), 1<<17)
	half := len(file) / 2
	ranges := make(chan string, 10)
	halt := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ranges <- r.Header.Get("Range")
		w.Header().Set("ETag", `"one"`)
		if r.Header.Get("Range") != "" {
			http.ServeContent(w, r, "f", time.Time{}, bytes.NewReader(file))
			return
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(file)))
		w.Write(file[:half])
		w.(http.Flusher).Flush()
		select {
		case <-halt:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(halt)
	home := t.TempDir()
	path := filepath.Join(home, "models", "coco", "coco_weights.pt")
	fetch := func() (*exec.Cmd, *bytes.Buffer, *bytes.Buffer) {
		c := testkit.Command("fetch", "coco", "--base-url", server.URL)
		c.Env = append(c.Env, "CLIPCAP_HOME="+home, "HOME="+home)
		var out, log bytes.Buffer
		c.Stdout, c.Stderr = &out, &log
		return c, &out, &log
	}
	c, out, log := fetch()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Millisecond) {
		if info, err := os.Stat(path + ".part"); err == nil && info.Size() == int64(half) {
			break
		} else if time.Now().After(deadline) {
			c.Process.Kill()
			c.Wait()
			t.Fatalf("half of the file did not arrive in a minute: %s", log)
		}
	}
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	err := c.Wait()
	if want := "clipcap-weights: interrupted; the same command goes on with the download where it stopped\n"; c.ProcessState.ExitCode() != 1 || log.String() != want || out.Len() > 0 {
		t.Fatalf("%v, %q, %q, want %q", err, out, log, want)
	}
	if b, err := os.ReadFile(path + ".part"); err != nil || !bytes.Equal(b, file[:half]) {
		t.Errorf("%d bytes are kept, want %d (%v)", len(b), half, err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("half a download bears the model's name")
	}
	c, out, log = fetch()
	if err := c.Run(); err != nil || strings.TrimSpace(out.String()) != path {
		t.Fatalf("%v, %q, %q", err, out, log)
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.Equal(b, file) {
		t.Errorf("%d bytes came together, want %d (%v)", len(b), len(file), err)
	}
	if first, second := <-ranges, <-ranges; first != "" || second != fmt.Sprintf("bytes=%d-", half) {
		t.Errorf("asked for %q and %q", first, second)
	}
	if left, _ := filepath.Glob(path + ".*"); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}
