//go:build unix

package files

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clipcap-go/clipcap/internal/testkit"
)

func TestKinds(t *testing.T) {
	dir := t.TempDir()
	file, pipe, socket := filepath.Join(dir, "file"), filepath.Join(dir, "pipe"), filepath.Join(dir, "socket")
	if err := os.WriteFile(file, []byte("some text"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Skip(err) // a socket's path is short, about 100 bytes, and a folder for tests may be longer
	}
	defer l.Close()
	for _, path := range []string{pipe, socket, os.DevNull, dir} {
		testkit.Within(t, path, func() {
			if _, err := Open(path); !errors.Is(err, ErrNotRegular) || !strings.Contains(err.Error(), path) {
				t.Errorf("Open %s: %v", path, err)
			}
			_, err := Stream(path)
			if want := map[bool]string{true: "nobody writes to it", false: "not a regular file"}[path == pipe]; err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
				t.Errorf("Stream %s: %v, want %q", path, err, want)
			}
		})
	}
	for _, path := range []string{file, filepath.Join(dir, "none")} {
		f, err := Open(path)
		if (err == nil) != (path == file) {
			t.Fatalf("Open %s: %v", path, err)
		}
		if err != nil {
			continue
		}
		if text, err := io.ReadAll(f); string(text) != "some text" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
		f.Close()
	}
	if text, err := ReadAll(file, 9); string(text) != "some text" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := ReadAll(file, 8); err == nil || !strings.Contains(err.Error(), "longer than 8 bytes") {
		t.Errorf("a file that is too long: %v", err)
	}
}

// TestWriter: what somebody writes to a pipe arrives, however slowly it comes.
func TestWriter(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Fatal(err)
	}
	w, err := os.OpenFile(pipe, os.O_RDWR, 0) // both ends, so that it need not wait
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for range 3 {
			time.Sleep(20 * time.Millisecond)
			io.WriteString(w, "text ")
		}
		w.Close()
	}()
	testkit.Within(t, pipe, func() {
		if text, err := ReadAll(pipe, 100); string(text) != "text text text " || err != nil {
			t.Errorf("%q, %v", text, err)
		}
	})
}
