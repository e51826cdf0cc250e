package train

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/internal/gpu"
	"github.com/clipcap-go/clipcap/internal/gpu/ptxsim"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
)

// backend is a GPU backend on a driver.
func backend(t testing.TB, d gpu.Driver) nn.Backend {
	t.Helper()
	dev, err := gpu.NewDevice(d)
	if err != nil {
		t.Fatal(err)
	}
	return nn.NewGPU(dev, "cuda:sim", nn.Float32)
}

// on makes the trainer of a run anew on a backend.
func on(t testing.TB, be nn.Backend, r *Run) {
	t.Helper()
	s := r.Trainer.Settings
	m := tiny(t, r.Config.Kind)
	tr, err := New(be, m, tinyCaptions(t, 43), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	r.Trainer = tr
}

// A batch that finds no room is answered by the largest that does before the run begins; in a step, if somebody took the
// room meanwhile.
func TestGPUOutOfMemory(t *testing.T) {
	c := tinyCaptions(t, 200)
	attempt := func(memory int64, batch int, taken float64) (used int64, err error) {
		dev, err := gpu.NewDevice(&gpu.Recorder{Memory: memory})
		if err != nil {
			t.Fatal(err)
		}
		s := settings(batch, 3)
		s.GradClip, s.Accumulate, s.Sequential = 1, 2, true
		tr, err := New(nn.NewGPU(dev, "cuda:0", nn.Float32), tiny(t, mapping.KindTransformer), c, s)
		if err != nil {
			if n := dev.Used(); n != 0 {
				t.Errorf("%d bytes are still allocated after %v", n, err)
			}
			return 0, err
		}
		defer tr.Close()
		if free, _ := dev.Room(); taken > 0 {
			if _, err := dev.Alloc(int(taken * float64(free))); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			if _, err := tr.Step(context.Background()); err != nil {
				return dev.Used(), err
			}
		}
		return dev.Used(), nil
	}
	need, err := attempt(0, 64, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, share := range []float64{0.97, 0.9, 0.8, 0.6, 0.5} {
		memory := int64(share * float64(need))
		used, err := attempt(memory, 64, 0)
		var fit *nn.FitError
		if used != 0 || !errors.As(err, &fit) || !errors.Is(err, nn.ErrMemory) || !strings.Contains(err.Error(), "wanted") ||
			!strings.Contains(err.Error(), fmt.Sprintf("a batch of %d would fit", fit.Batch)) {
			t.Fatalf("%g of the memory: %v", share, err)
		}
		t.Logf("%v", err)
		if fit.Batch < 1 || fit.Batch > 63 {
			t.Errorf("%g of the memory: a batch of %d", share, fit.Batch)
		}
		if _, err := attempt(memory, fit.Batch, 0); err != nil {
			t.Errorf("the batch of %d that would fit does not: %v", fit.Batch, err)
		}
		// Batches of up to 64 rows more are filled up to one size.
		if more := fit.Batch + 16; more < 64 {
			if _, err := attempt(memory, more, 0); err == nil {
				t.Errorf("a batch of %d fits, and was not named but %d", more, fit.Batch)
			}
		}
	}
	var fit *nn.FitError
	if _, err = attempt(need*11/10, 64, 0.5); !errors.As(err, &fit) || fit.Batch < 16 || fit.Batch > 63 || !strings.Contains(err.Error(), "step 1") {
		t.Errorf("room that was taken: %v", err)
	}
	_, err = attempt(need/100, 64, 0)
	if err == nil || !strings.Contains(err.Error(), "not even a batch of 1 fits") {
		t.Errorf("hardly any memory: %v", err)
	}
}

// Whatever call a GPU fails in, the run ends with an error that says so, and its folder is the last checkpoint, whole.
func TestGPULost(t *testing.T) {
	gone := errors.New("CUDA error 719: unspecified launch failure")
	sweep := func(fail int) (calls int, steps int64, r *Run, err error) {
		rec := &gpu.Recorder{}
		be := backend(t, rec)
		r = run(t, t.TempDir(), mapping.KindMLP, nil)
		on(t, be, r)
		e, err := NewEvaluator(be, r.Trainer.Model, tinyCaptions(t, 7), r.Trainer.Settings)
		if err != nil {
			t.Fatal(err)
		}
		w, err := NewWriter(be, r.Trainer.Model, r.Trainer.packer.Captions.Features, r.Trainer.Settings, 13)
		if err != nil {
			t.Fatal(err)
		}
		w.Decode = func([]int32) (string, error) { return "a horse", nil }
		r.Evaluator, r.KeepBest, r.Every = e, ByCIDEr, 5
		r.Judge = &Judge{Images: []string{"0"}, References: [][]string{{"a horse in the snow"}},
			Write: func(ctx context.Context) ([]string, error) { return w.Write(ctx, []int{0}) }}
		rec.Fail = func(string, int) error {
			if calls++; calls == fail {
				return gone
			}
			return nil
		}
		_, err = r.Do(context.Background())
		for _, c := range []interface{ Close() error }{e, w} {
			c.Close()
		}
		return calls, r.saved, r, err
	}
	all, _, _, err := sweep(0)
	if err != nil {
		t.Fatal(err)
	}
	before, after := 0, 0
	for fail := 1; fail <= all; fail += 1 + all/25 {
		calls, saved, r, err := sweep(fail)
		if !errors.Is(err, nn.ErrLost) || !errors.Is(err, gone) {
			t.Fatalf("call %d of %d: %v", fail, all, err)
		}
		if calls != fail {
			t.Errorf("call %d: %d more calls to a lost device", fail, calls-fail)
		}
		resumed := run(t, r.Dir, mapping.KindMLP, nil)
		found, e := resumed.Resume()
		switch {
		case e != nil:
			t.Fatalf("call %d: %v", fail, e)
		case !found:
			before++
			if saved >= 0 || !strings.Contains(err.Error(), "no checkpoint was written yet") {
				t.Errorf("call %d: no checkpoint, but %v", fail, err)
			}
			continue
		}
		after++
		if saved != resumed.Trainer.Done() || !strings.Contains(err.Error(), fmt.Sprintf("the last good checkpoint is %s at step %d", r.Dir, saved)) {
			t.Errorf("call %d: a checkpoint of step %d, and %v", fail, resumed.Trainer.Done(), err)
		}
		if _, e := checkpoint.Open(r.Dir, nil); e != nil {
			t.Errorf("call %d: %v", fail, e)
		}
		if left, _ := filepath.Glob(filepath.Join(r.Dir, ".*")); len(left) > 0 {
			t.Errorf("call %d leaves %v", fail, left)
		}
	}
	if before == 0 || after == 0 {
		t.Errorf("%d failures before the first checkpoint, %d after", before, after)
	}
}

// What a run has learned before its GPU is lost is there: it is resumed on the CPU and ends where an unbroken run ends.
func TestGPULostAndResumed(t *testing.T) {
	short := func(s *Settings) { s.Steps, s.BatchSize, s.Noise = 5, 4, 0 }
	whole := run(t, t.TempDir(), mapping.KindMLP, short)
	do(t, whole, context.Background())

	driver, err := ptxsim.Open(1 << 28)
	if err != nil {
		t.Fatal(err)
	}
	rec := &gpu.Recorder{Next: driver}
	r := run(t, t.TempDir(), mapping.KindMLP, short)
	on(t, backend(t, rec), r)
	lost := false
	r.OnUpdate = func(u Update) { lost = u.Step == 3 }
	rec.Fail = func(call string, _ int) error {
		if lost {
			return errors.New("CUDA error 214: uncorrectable ECC error encountered")
		}
		return nil
	}
	if _, err := r.Do(context.Background()); !errors.Is(err, nn.ErrLost) || !strings.Contains(err.Error(), "at step 2") {
		t.Fatalf("lost after step 3: %v", err)
	}
	again := run(t, r.Dir, mapping.KindMLP, short)
	if ok, err := again.Resume(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	do(t, again, context.Background())
	want, got := numbers(t, whole), numbers(t, again)
	for i := range want {
		for j := range want[i] {
			if d := want[i][j] - got[i][j]; !(d < 2e-4 && d > -2e-4) {
				t.Fatalf("array %d differs by %g at %d", i, d, j)
			}
		}
	}
}
