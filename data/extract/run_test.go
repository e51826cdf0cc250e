package extract

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/clipcap-go/clipcap/clip"
	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/internal/files"
	"github.com/clipcap-go/clipcap/weights"
)

// TestRunAgain: a run that is stopped anywhere, or shared by processes, leaves the bytes of one that was not.
func TestRunAgain(t *testing.T) {
	e, dir := encoder(t), folder(t, 23)
	base := Options{Source: open(t, dir, SourceOptions{}), Encoder: e, ShardSize: 5, Half: true}
	whole := base
	whole.Out = filepath.Join(t.TempDir(), "whole")
	sum, err := Run(context.Background(), whole)
	if err != nil {
		t.Fatal(err)
	}
	if sum.Images != 23 || sum.Features != 19 || sum.Encoded != 19 || sum.Failed[NotImage] != 3 || sum.Failed[Damaged] != 1 || sum.Shards != 5 {
		t.Errorf("summary %+v, want 19 features of 23 images, 3 not images and 1 damaged in 5 shards", sum)
	}
	want := contents(t, whole.Out)
	if len(want) != 16 {
		t.Errorf("%d files, want meta.json and three for each of 5 shards", len(want))
	}
	for stop := range 24 {
		o := base
		o.Out = t.TempDir()
		for range 2 { // stopped twice
			ctx, cancel := context.WithCancel(context.Background())
			o.Done = func(int) {
				if stop--; stop < 0 {
					cancel()
				}
			}
			_, err := Run(ctx, o)
			if err != nil && !errors.Is(err, context.Canceled) { // nil: stopped by the last image
				t.Fatal(err)
			}
			cancel()
			o.Resume = true
			write(t, filepath.Join(o.Out, "00002.npy.tmp"), []byte("half a shard")) // what SIGKILL may leave
		}
		o.Done = nil
		if _, err := Run(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		got := contents(t, o.Out)
		delete(got, "00002.npy.tmp")
		same(t, fmt.Sprintf("stopped %d", stop), got, want)
	}
	shared := base
	shared.Out, shared.Processes = t.TempDir(), 3
	for p := range 3 {
		shared.Process = 2 - p
		if _, err := Run(context.Background(), shared); err != nil {
			t.Fatal(err)
		}
	}
	same(t, "three processes", contents(t, shared.Out), want)

	f, err := data.OpenFeatures(whole.Out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Rows() != 19 || f.Dim != 6 {
		t.Errorf("the feature set opens with %d rows of %d, want 19 of 6", f.Rows(), f.Dim)
	}
	if row, ok := f.Find("0004"); !ok || f.ID(row) != "0004" {
		t.Errorf("image 0004 is row %d (%v)", row, ok)
	}
}

// TestStartTogether: processes that are started at the same moment, as mpirun does, all find their meta.json.
func TestStartTogether(t *testing.T) {
	meta := setMeta{Format: 1, Dim: 6}
	for range 20 {
		dir := t.TempDir()
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := prepare(dir, meta, true, false); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		var got setMeta
		if err := readJSON(filepath.Join(dir, metaFile), &got); err != nil || got != meta || len(contents(t, dir)) != 1 {
			t.Errorf("%+v (%v) and %d files, want %+v alone", got, err, len(contents(t, dir)), meta)
		}
	}
}

// TestDoneShardsStay: a finished shard is not read, fetched or written again.
func TestDoneShardsStay(t *testing.T) {
	o := Options{Source: open(t, folder(t, 7), SourceOptions{}), Encoder: encoder(t), ShardSize: 4, Out: t.TempDir()}
	if _, err := Run(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(o.Out, "00000.npy")
	write(t, path, []byte("mark"))
	if err := os.Remove(filepath.Join(o.Out, "00001.json")); err != nil {
		t.Fatal(err)
	}
	o.Resume = true
	var todo int
	o.Begin = func(n int) { todo = n }
	sum, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); string(b) != "mark" || todo != 3 || sum.Skipped != 1 || sum.Images != 7 || sum.Encoded != 3 {
		t.Errorf("shard 0 holds %q, %d images were to be done, summary %+v; want the mark, 3 images, all encoded, 1 of 7 images' 2 shards done before", b, todo, sum)
	}
}

// TestMaxPixels: an image of more pixels than allowed is too large, not damaged.
func TestMaxPixels(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.png"), drawn(t, 0, false)) // 13×12
	o := Options{Source: open(t, dir, SourceOptions{}), Encoder: encoder(t), Out: t.TempDir(), Image: clip.ImageOptions{MaxPixels: 150}}
	if sum, err := Run(context.Background(), o); err != nil || sum.Failed[TooLarge] != 1 {
		t.Errorf("%+v (%v), want 1 too large", sum, err)
	}
}

// TestNotFinite: pixels that are no numbers have no feature, beside others that have.
func TestNotFinite(t *testing.T) {
	e := encoder(t)
	each := 3 * e.ImageSize() * e.ImageSize()
	pixels := make([]float32, 4*each)
	pixels[2*each+5] = float32(math.NaN())
	path := filepath.Join(t.TempDir(), "pixels.npy")
	if err := weights.WriteFile(path, func(w io.Writer) error {
		return weights.WriteNPY(w, weights.Floats("pixels", []int{4, 3, e.ImageSize(), e.ImageSize()}, pixels, weights.F32))
	}); err != nil {
		t.Fatal(err)
	}
	o := Options{Source: open(t, path, SourceOptions{}), Encoder: e, Out: t.TempDir()}
	if sum, err := Run(context.Background(), o); err != nil || sum.Features != 3 || sum.Failed[NotFinite] != 1 {
		t.Errorf("%+v (%v), want 3 features and 1 not finite", sum, err)
	}
	p := pipeline{Options: &Options{Half: true}}
	if p.writable([]float32{1, -65505}) == nil || p.writable([]float32{1, -65504}) != nil {
		t.Error("float16 holds -65504, and -65505 not")
	}
}

func TestRunRefuses(t *testing.T) {
	dir := folder(t, 3)
	o := Options{Source: open(t, dir, SourceOptions{}), Encoder: encoder(t), Out: filepath.Join(t.TempDir(), "out")}
	if _, err := Run(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	refused := func(what, says string, o Options) {
		t.Helper()
		if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, want one with %q", what, err, says)
		}
	}
	refused("a full folder", "--resume", o)
	other := o
	other.Resume, other.Half = true, true
	refused("another type", "another extraction: dtype f32 there, f16 in this run", other)
	if err := os.Rename(filepath.Join(dir, "0001.jpg"), filepath.Join(dir, "0001b.jpg")); err != nil {
		t.Fatal(err)
	}
	other = o
	other.Resume, other.Source = true, open(t, dir, SourceOptions{})
	refused("another list of the same length", "another extraction: other images", other)
	other = o
	other.Resume, other.Encoder = true, encoderOf(t, "false")
	refused("another activation", "another extraction: activation quickgelu there, gelu in this run", other)
	var old setMeta
	path := filepath.Join(o.Out, metaFile)
	if err := readJSON(path, &old); err != nil {
		t.Fatal(err)
	}
	old.List, old.Activation = "", ""
	if err := writeMeta(path, old); err != nil {
		t.Fatal(err)
	}
	other = o
	other.Resume = true
	if _, err := Run(context.Background(), other); err != nil {
		t.Errorf("a set without the hash of its list: %v", err)
	}
	other = o
	other.Process, other.Processes = 2, 2
	refused("process 2 of 2", "process 2 of 2", other)
	write(t, filepath.Join(o.Out, "notes.txt"), []byte("mine"))
	other = o
	other.Overwrite, other.Half = true, true
	if _, err := Run(context.Background(), other); err != nil {
		t.Errorf("overwrite: %v", err)
	}
	if b, _ := os.ReadFile(filepath.Join(o.Out, "notes.txt")); string(b) != "mine" {
		t.Error("overwrite removed a file that is not of a feature set")
	}
}

// TestShardInUse: a shard is one process's at a time, and what a killed one left does not lock it.
func TestShardInUse(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no locks here")
	}
	o := Options{Source: open(t, folder(t, 7), SourceOptions{}), Encoder: encoder(t), ShardSize: 2, Out: t.TempDir(), Resume: true}
	lock := filepath.Join(o.Out, "00002.lock")
	other, err := files.TakeLock(lock)
	if err != nil {
		t.Fatal(err)
	}
	const want = "another process is at work there"
	if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "shard 2: "+want) || !strings.Contains(err.Error(), lock) {
		t.Errorf("another process's shard: error %v", err)
	}
	anew := o
	anew.Resume, anew.Overwrite = false, true
	if _, err := Run(context.Background(), anew); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("overwritten under another process: error %v", err)
	}
	if got := contents(t, o.Out); len(got["00000.json"]) == 0 || len(got) != 8 {
		t.Errorf("%d files, want meta.json, the two shards before and a lock", len(got))
	}
	// Finished between this run's beginning and its turn.
	o.Begin = func(int) {
		write(t, filepath.Join(o.Out, "00002.json"), []byte("{}"))
		other.Close()
	}
	if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "shard 2: another process has finished it meanwhile") {
		t.Errorf("finished meanwhile: error %v", err)
	}
	o.Begin = nil
	for _, left := range []string{"00002.lock", "00003.lock"} {
		write(t, filepath.Join(o.Out, left), nil)
	}
	if err := os.Remove(filepath.Join(o.Out, "00002.json")); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, o.Out); len(got) != 13 {
		t.Errorf("%d files, want meta.json and three for each of 4 shards", len(got))
	}
}

// TestStartedAtOnce: processes that find no meta.json write it one after the other.
func TestStartedAtOnce(t *testing.T) {
	for range 20 {
		dir, done := t.TempDir(), make(chan error, 4)
		for range 4 {
			go func() { done <- prepare(dir, setMeta{Format: 1}, true, false) }()
		}
		for range 4 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestRows: the lines say which row of the array, or why none, and the array holds what the encoder gives.
func TestRows(t *testing.T) {
	dir, e := folder(t, 5), encoder(t)
	for _, half := range []bool{false, true} {
		o := Options{Source: open(t, dir, SourceOptions{}), Encoder: e, Out: t.TempDir(), Half: half}
		if _, err := Run(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(filepath.Join(o.Out, "00000.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		var lines []line
		for l := range bytes.Lines(text) {
			var x line
			if err := json.Unmarshal(l, &x); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, x)
		}
		if len(lines) != 5 || lines[3].Row != nil || lines[3].Status != NotImage || *lines[4].Row != 3 || lines[4].File != "0004.png" {
			t.Fatalf("lines %s", text)
		}
		s, err := weights.Open(filepath.Join(o.Out, "00000.npy"))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		got, err := s.Tensors()[0].Float32s()
		if err != nil {
			t.Fatal(err)
		}
		for i, l := range lines {
			if l.Row == nil {
				continue
			}
			im, err := clip.OpenImage(filepath.Join(dir, l.File))
			if err != nil {
				t.Fatal(err)
			}
			want, err := e.Encode(context.Background(), []*clip.Image{im})
			if err != nil {
				t.Fatal(err)
			}
			for j, w := range want[0] {
				near := float32(0)
				if half { // half a step of float16
					near = float32(math.Ldexp(math.Abs(float64(w)), -11))
				}
				if g := got[*l.Row*6+j]; max(g-w, w-g) > near {
					t.Errorf("image %d number %d is %v, want %v", i, j, g, w)
				}
			}
		}
	}
}

// TestEmptyShard: a shard whose images all failed has an array of no rows, and the set still opens.
func TestEmptyShard(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.png"), []byte("no"))
	write(t, filepath.Join(dir, "b.png"), drawn(t, 1, false))
	o := Options{Source: open(t, dir, SourceOptions{}), Encoder: encoder(t), Out: t.TempDir(), ShardSize: 1}
	if _, err := Run(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	f, err := data.OpenFeatures(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Rows() != 1 {
		t.Errorf("%d rows, want 1", f.Rows())
	}
}
