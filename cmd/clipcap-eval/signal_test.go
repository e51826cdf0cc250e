//go:build unix

package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clipcap-go/clipcap/internal/testkit"
)

// TestMain lets the test binary stand for the command, so that it can be interrupted.
func TestMain(m *testing.M) { testkit.Main(m, main) }

// TestInterrupt sends the process what Ctrl-C sends while its annotations are still on their way through a pipe: one line says what was written,
// and no report is there.
func TestInterrupt(t *testing.T) {
	for _, c := range []struct{ flags, want string }{
		{"--html DIR/report.html --per-image DIR/images.json", "nothing was written"},
		{"--html DIR/report.html --submission DIR/captions.json", "DIR/captions.json was written, and no scores"},
	} {
		dir := texts(t, inputs)
		pipe := filepath.Join(dir, "pipe")
		if err := syscall.Mkfifo(pipe, 0o666); err != nil {
			t.Fatal(err)
		}
		w, err := os.OpenFile(pipe, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		var out, log bytes.Buffer
		p := testkit.Command(strings.Fields(strings.ReplaceAll("--annotations DIR/pipe --results DIR/res.json --bootstrap 1000000 "+c.flags, "DIR", dir))...)
		p.Stdout, p.Stderr = &out, &log
		testkit.Within(t, c.flags, func() {
			_, err = w.WriteString(`{"info": "`)
			err = errors.Join(err, p.Start())
			// More than a pipe holds: once it is written the command has begun to read.
			_, err2 := w.WriteString(strings.Repeat("x", 256<<10) + `",`)
			err = errors.Join(err, err2, p.Process.Signal(syscall.SIGINT))
			time.Sleep(100 * time.Millisecond)
			_, err2 = w.WriteString(strings.TrimPrefix(inputs["coco.json"], "{"))
			err = errors.Join(err, err2, w.Close())
			p.Wait()
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := "clipcap-eval: interrupted; " + strings.ReplaceAll(c.want, "DIR", dir) + "\n"; p.ProcessState.ExitCode() != 1 || log.String() != want || out.Len() > 0 {
			t.Errorf("%s: %v, %q, %q, want %q", c.flags, p.ProcessState, out.String(), log.String(), want)
		}
		for _, name := range []string{"report.html", "images.json"} {
			if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
				t.Errorf("%s: %s was written", c.flags, name)
			}
		}
		if _, err := os.Stat(filepath.Join(dir, "captions.json")); (err == nil) != strings.Contains(c.flags, "submission") {
			t.Errorf("%s: captions.json: %v", c.flags, err)
		}
	}
}
