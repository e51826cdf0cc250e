package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/internal/testkit"
	"github.com/clipcap-go/clipcap/train"
)

// TestDiskFull lets the log fill a small disk: the run tells it once and goes on, ends with one line that names the folder, and leaves the last
// checkpoint whole; with room again it resumes to the end of a run that had it all along.
func TestDiskFull(t *testing.T) {
	w := newWorld(t)
	const steps = 300
	flags := []string{"--steps", fmt.Sprint(steps), "--lr", "0.01", "--frozen-lm", "--save-every", "20"}
	must(t, t.Context(), w.args("whole", flags...)...)
	var p plan
	if err := json.Unmarshal([]byte(must(t, t.Context(), w.args("part", append(flags, "--dry-run", "--json")...)...)), &p); err != nil {
		t.Fatal(err)
	}
	page := int64(os.Getpagesize())
	room := (2*p.Disk+page-1)/page*page + 16*page // the two checkpoints that there must be room for, their other files, and a little of the log
	dir, enlarge := testkit.SmallDisk(t, room)
	args := func(more ...string) []string {
		a := w.args("", append(flags, more...)...)
		a[slices.Index(a, "--out")+1] = dir
		return a
	}
	status, _, log := call(t, t.Context(), args()...)
	lines := strings.Split(strings.TrimSpace(log), "\n")
	last := lines[len(lines)-1]
	if status != 1 || !strings.HasPrefix(last, "clipcap-train: write a checkpoint of step 300: ") || !strings.Contains(last, dir) || !strings.Contains(last, "the last good checkpoint is "+dir+" at step ") {
		t.Fatalf("status %d, %s", status, log)
	}
	if n := strings.Count(log, "its records wait"); n > 1 {
		t.Errorf("a full log is told %d times", n)
	}
	c, err := checkpoint.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	var sum train.Summary
	if err := json.Unmarshal(c.Config.Training, &sum); err != nil || sum.Steps == 0 || sum.Steps == steps || sum.Steps%20 != 0 {
		t.Errorf("the checkpoint is of step %d (%v)", sum.Steps, err)
	}
	enlarge(64 << 20)
	must(t, t.Context(), args("--resume")...)
	for _, name := range []string{checkpoint.WeightsFile, "config.json"} {
		a, err := os.ReadFile(filepath.Join(w.dir, "whole", name))
		if b, err2 := os.ReadFile(filepath.Join(dir, name)); err != nil || err2 != nil || !slices.Equal(a, b) {
			t.Errorf("%s differs (%v, %v)", name, err, err2)
		}
	}
	records, err := train.ReadLog(filepath.Join(dir, train.LogFile))
	if err != nil || len(records) != steps {
		t.Errorf("%d records, %v", len(records), err)
	}
	for i, r := range records {
		if r.Step != int64(i+1) {
			t.Fatalf("record %d is of step %d", i, r.Step)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}
