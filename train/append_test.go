package train

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/clipcap-go/clipcap/mapping"
)

// fullDisk is a file on a disk that has room for some more bytes.
type fullDisk struct {
	*os.File
	room *int
}

func (f fullDisk) Write(b []byte) (int, error) {
	n := min(len(b), *f.room)
	*f.room -= n
	m, err := f.File.Write(b[:n])
	if err == nil && m < len(b) {
		err = syscall.ENOSPC
	}
	return m, err
}

func TestAppender(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	room := 7
	a := appender{name: path, f: fullDisk{f, &room}}
	see := func(want string) {
		t.Helper()
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("the file holds %q, want %q (%v)", got, want, err)
		}
	}
	if err := a.write([]byte("one\n")); err != nil {
		t.Fatal(err)
	}
	for _, record := range []string{"three\n", "4\n"} { // the first goes in part
		if err := a.write([]byte(record)); !errors.Is(err, syscall.ENOSPC) || errors.Is(err, errLost) || !strings.Contains(err.Error(), path) {
			t.Errorf("a full disk: %v", err)
		}
		see("one\n")
	}
	room = 100
	if err := a.write([]byte("5\n")); err != nil {
		t.Error(err)
	}
	see("one\nthree\n4\n5\n")
	room = 0
	if err := a.write([]byte("6\n")); err == nil {
		t.Error("a full disk took a record")
	}
	if err := a.write(make([]byte, waitingMost)); !errors.Is(err, errLost) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("too much waits: %v", err)
	}
	if err := a.close(); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "2 bytes were not written") {
		t.Errorf("closed on a full disk: %v", err)
	}
	see("one\nthree\n4\n5\n")
	if _, err := f.Write([]byte("x")); !errors.Is(err, os.ErrClosed) {
		t.Errorf("the file is still open: %v", err)
	}
}

// A disk that is full for a while is reported once, and nothing is missing in the end.
func TestRunOutlivesFullDisk(t *testing.T) {
	whole := run(t, t.TempDir(), mapping.KindMLP, nil)
	do(t, whole, context.Background())
	r := run(t, t.TempDir(), mapping.KindMLP, nil)
	var text strings.Builder
	r.Logger = slog.New(slog.NewTextHandler(&text, nil))
	room := 1 << 20
	r.OnUpdate = func(u Update) {
		switch u.Step {
		case 1:
			r.log.to.f, r.events.to.f = fullDisk{r.log.to.f.(*os.File), &room}, fullDisk{r.events.to.f.(*os.File), &room}
		case 3:
			room = 20
		case 9:
			room = 1 << 20
		}
	}
	if s := do(t, r, context.Background()); s.Steps != 12 {
		t.Errorf("ended as %+v", s)
	}
	if n := strings.Count(text.String(), "no space left on device"); n != 2 || !strings.Contains(text.String(), "step 4: log ") { // of both files, at once
		t.Errorf("told %d times: %s", n, text.String())
	}
	if got, want := logOf(t, r.Dir), logOf(t, whole.Dir); got != want {
		t.Errorf("log\n%s\nwant\n%s", got, want)
	}

	r = run(t, t.TempDir(), mapping.KindMLP, nil) // full to the end
	r.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	r.OnUpdate = func(u Update) {
		if u.Step == 3 {
			room = 0
			r.log.to.f = fullDisk{r.log.to.f.(*os.File), &room}
		}
	}
	if s, err := r.Do(context.Background()); !errors.Is(err, syscall.ENOSPC) || s.Steps != 12 || !strings.Contains(err.Error(), "were not written") {
		t.Errorf("ended as %+v with %v", s, err)
	}
	if ok, err := run(t, r.Dir, mapping.KindMLP, nil).Resume(); !ok || err != nil {
		t.Errorf("the checkpoint does not resume: %v %v", ok, err)
	}
}
