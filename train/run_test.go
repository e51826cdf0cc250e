package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
)

// run prepares a run of 12 updates in a folder.
func run(t testing.TB, dir string, kind mapping.Kind, change func(*Settings)) *Run {
	t.Helper()
	s := settings(10, 12)
	s.Dropout, s.Noise, s.Normalize, s.GradClip = 0.1, 0.01, true, 1
	if change != nil {
		change(&s)
	}
	m := tiny(t, kind)
	tr := trainer(t, m, tinyCaptions(t, 43), s)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return &Run{Trainer: tr, Dir: dir, Config: checkpoint.Config{Config: m.Config, LM: m.LM.Config}, Save: 2, Title: "test", Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
}

func do(t testing.TB, r *Run, ctx context.Context) Summary {
	t.Helper()
	s, err := r.Do(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// numbers are all parameters and moments of a run.
func numbers(t testing.TB, r *Run) [][]float32 {
	t.Helper()
	var all [][]float32
	for _, p := range r.Trainer.Model.Params() {
		all = append(all, p.Data)
	}
	for i, p := range r.Trainer.opt.Params() {
		m, v := make([]float32, len(p.Data)), make([]float32, len(p.Data))
		if err := r.Trainer.opt.Moments(i, 0, m, v); err != nil {
			t.Fatal(err)
		}
		all = append(all, m, v)
	}
	return all
}

func bitEqual(t testing.TB, what string, a, b [][]float32) {
	t.Helper()
	if len(a) != len(b) {
		t.Fatalf("%s: %d arrays, want %d", what, len(a), len(b))
	}
	for i := range a {
		if !slices.Equal(a[i], b[i]) {
			t.Errorf("%s: array %d of %d differs", what, i, len(a))
			return
		}
	}
}

// logOf are the step and loss of every update in a folder's log.
func logOf(t testing.TB, dir string) string {
	t.Helper()
	rs, err := ReadLog(filepath.Join(dir, LogFile))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, r := range rs {
		if r.Loss != nil {
			fmt.Fprintf(&b, "%d %v %v %d\n", r.Step, *r.Loss, *r.LR, r.Tokens)
		}
	}
	return b.String()
}

// A run that is interrupted and resumed ends bit for bit where an unbroken one ends.
func TestResumeIsExact(t *testing.T) {
	for name, change := range map[string]func(*Settings){
		"tuned":                                nil,
		"frozen":                               func(s *Settings) { s.FrozenLM, s.Group, s.Accumulate, s.BatchSize = true, true, 2, 5 },
		"lora":                                 func(s *Settings) { s.LoRA = 2 },
		"tuned, gradients used up one by one":  func(s *Settings) { s.GradClip = 0 },
		"frozen, gradients used up one by one": func(s *Settings) { s.FrozenLM, s.GradClip = true, 0 },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			whole := run(t, filepath.Join(dir, "whole"), mapping.KindTransformer, change)
			do(t, whole, context.Background())

			ctx, cancel := context.WithCancel(context.Background())
			part := run(t, filepath.Join(dir, "part"), mapping.KindTransformer, change)
			part.OnUpdate = func(u Update) {
				if u.Step == 5 {
					cancel()
				}
			}
			if s := do(t, part, ctx); s.Steps != 5 || s.Stopped != "interrupted" {
				t.Fatalf("stopped as %+v", s)
			}
			again := run(t, part.Dir, mapping.KindTransformer, change)
			if ok, err := again.Resume(); !ok || err != nil {
				t.Fatal(ok, err)
			}
			bitEqual(t, "resumed", numbers(t, again), numbers(t, part))
			if s := do(t, again, context.Background()); s.Steps != 12 || s.Stopped != "" {
				t.Fatalf("ended as %+v", s)
			}
			bitEqual(t, "at the end", numbers(t, again), numbers(t, whole))
			if got, want := logOf(t, part.Dir), logOf(t, whole.Dir); got != want {
				t.Errorf("log\n%s\nwant\n%s", got, want)
			}
			a, err := os.ReadFile(filepath.Join(part.Dir, checkpoint.WeightsFile))
			if err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(filepath.Join(whole.Dir, checkpoint.WeightsFile))
			if err != nil || !slices.Equal(a, b) {
				t.Errorf("the checkpoints differ (%v)", err)
			}
			c, err := checkpoint.Open(part.Dir, nil)
			if err != nil || (c.LM == nil) != strings.HasPrefix(name, "frozen") {
				t.Errorf("the checkpoint opens with %v, language model %v", err, c.LM != nil)
			}
		})
	}
}

// What a crash leaves at any moment of writing a checkpoint is the old one or the new one.
func TestCrashWhileSaving(t *testing.T) {
	dir := t.TempDir()
	first := run(t, dir, mapping.KindMLP, nil)
	first.Trainer.Schedule.Total = 4
	do(t, first, context.Background())

	// Half written: the rest of a checkpoint that never became valid.
	half := filepath.Join(dir, writing)
	if err := errors.Join(os.Mkdir(half, 0o755), os.WriteFile(filepath.Join(half, checkpoint.WeightsFile), []byte("half"), 0o644)); err != nil {
		t.Fatal(err)
	}
	second := run(t, dir, mapping.KindMLP, nil)
	if ok, err := second.Resume(); !ok || err != nil || second.Trainer.Done() != 4 {
		t.Fatalf("resumed %v at %d: %v", ok, second.Trainer.Done(), err)
	}
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Error("the half checkpoint is still there")
	}
	bitEqual(t, "after half a checkpoint", numbers(t, second), numbers(t, first))

	// Valid, and some of its files moved: the rest follows.
	losses(t, second.Trainer, 1)
	full := filepath.Join(dir, written)
	err := errors.Join(os.Mkdir(full, 0o755), second.weights(full), second.Trainer.saveState(filepath.Join(full, stateDir), nil),
		os.Rename(filepath.Join(full, checkpoint.WeightsFile), filepath.Join(dir, checkpoint.WeightsFile)))
	if err != nil {
		t.Fatal(err)
	}
	third := run(t, dir, mapping.KindMLP, nil)
	if ok, err := third.Resume(); !ok || err != nil || third.Trainer.Done() != 5 {
		t.Fatalf("resumed %v at %d: %v", ok, third.Trainer.Done(), err)
	}
	bitEqual(t, "after a crash between two files", numbers(t, third), numbers(t, second))

	// The best checkpoint is finished too, and replaced by a better one.
	full = filepath.Join(dir, bestDir, written)
	if err := errors.Join(os.MkdirAll(full, 0o755), third.weights(full)); err != nil {
		t.Fatal(err)
	}
	fourth := run(t, dir, mapping.KindMLP, nil)
	if ok, err := fourth.Resume(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	if _, err := checkpoint.Open(filepath.Join(dir, bestDir), nil); err != nil {
		t.Error(err)
	}
	if err := fourth.keepBest(); err != nil {
		t.Error(err)
	}

	none := run(t, t.TempDir(), mapping.KindMLP, nil)
	if ok, err := none.Resume(); ok || err != nil {
		t.Errorf("an empty folder: resumed %v, %v", ok, err)
	}
}

func TestResumeRefusesAnotherRun(t *testing.T) {
	dir := t.TempDir()
	first := run(t, dir, mapping.KindMLP, nil)
	first.Trainer.Schedule.Total = 2
	do(t, first, context.Background())
	other := run(t, dir, mapping.KindMLP, func(s *Settings) { s.Seed, s.LR = 9, 1e-3 })
	if _, err := other.Resume(); err == nil || !strings.Contains(err.Error(), "seed is 9, the run was started with 3") || !strings.Contains(err.Error(), "lr is 0.001") {
		t.Errorf("other settings: %v", err)
	}
	for want, change := range map[string]func(*Model){
		"num_layers is 1, the run was started with 2": func(m *Model) { m.Config.Layers = 1 },
		"n_head is 4, the run was started with 2":     func(m *Model) { m.LM.Config.Heads = 4 },
	} {
		shape := run(t, t.TempDir(), mapping.KindTransformer, nil)
		shape.Trainer.Schedule.Total = 1
		do(t, shape, context.Background())
		other := run(t, shape.Dir, mapping.KindTransformer, nil)
		change(other.Trainer.Model)
		if _, err := other.Resume(); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	frozenPart := func(s *Settings) { s.Freeze = []string{"gpt.transformer.h.0"} }
	if _, err := run(t, dir, mapping.KindMLP, frozenPart).Resume(); err == nil || !strings.Contains(err.Error(), `freeze is ["gpt.transformer.h.0"], the run was started with none`) {
		t.Errorf("a part frozen: %v", err)
	}
	part := run(t, t.TempDir(), mapping.KindMLP, frozenPart)
	part.Trainer.Schedule.Total = 2
	do(t, part, context.Background())
	if _, err := run(t, part.Dir, mapping.KindMLP, nil).Resume(); err == nil || strings.Contains(err.Error(), "--gpt2") || !strings.Contains(err.Error(), `freeze is none, the run was started with ["gpt.transformer.h.0"]`) {
		t.Errorf("a part not frozen any more: %v", err)
	}
	data := run(t, dir, mapping.KindMLP, nil)
	data.Trainer.packer.Captions = tinyCaptions(t, 44)
	if _, err := data.Resume(); err == nil || !strings.Contains(err.Error(), "captions or the features") {
		t.Errorf("other captions: %v", err)
	}
	frozen := func(s *Settings) { s.FrozenLM = true }
	lm := run(t, t.TempDir(), mapping.KindMLP, frozen)
	lm.Trainer.Schedule.Total = 2
	do(t, lm, context.Background())
	m := tiny(t, mapping.KindMLP)
	m.LM.Init(7)
	s := lm.Trainer.Settings
	tr, err := New(nn.NewCPU(nn.Float32), m, tinyCaptions(t, 43), s)
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if _, err := tr.Resume(lm.Dir); err == nil || !strings.Contains(err.Error(), "weights that are not trained") {
		t.Errorf("another language model: %v", err)
	}
	if err := os.Truncate(filepath.Join(dir, checkpoint.WeightsFile), 100); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t, dir, mapping.KindMLP, nil).Resume(); err == nil {
		t.Error("a broken file was resumed")
	}
}

// A checkpoint that cannot be written is reported, the one before stays, and the run goes on.
func TestFailedCheckpoint(t *testing.T) {
	dir := t.TempDir()
	r := run(t, dir, mapping.KindMLP, nil)
	var text strings.Builder
	r.Logger = slog.New(slog.NewTextHandler(&text, nil))
	block := filepath.Join(dir, written)
	r.OnUpdate = func(u Update) {
		switch u.Step {
		case 3: // a folder in the way
			if err := os.MkdirAll(filepath.Join(block, "x"), 0o755); err != nil {
				t.Error(err)
			}
		case 5:
			os.RemoveAll(block)
		}
	}
	s := do(t, r, context.Background())
	if s.Steps != 12 || !strings.Contains(text.String(), "write a checkpoint of step 4") || !strings.Contains(text.String(), "the last good checkpoint is "+dir+" at step 2") {
		t.Errorf("ended as %+v; log %s", s, text.String())
	}
}

// A best checkpoint that cannot be written is reported and stays to be beaten by the next, and the run goes on.
func TestFailedBest(t *testing.T) {
	dir := t.TempDir()
	r := run(t, dir, mapping.KindMLP, nil)
	var text strings.Builder
	r.Logger = slog.New(slog.NewTextHandler(&text, nil))
	scores := [][]string{{"a dog"}, {"a man on a horse"}, {"a man"}}
	r.Judge = &Judge{Images: []string{"1"}, References: [][]string{{"a man on a horse"}},
		Write: func(context.Context) ([]string, error) { s := scores[0]; scores = append(scores[1:], s); return s, nil }}
	r.Every, r.KeepBest, r.Patience = 4, ByCIDEr, 2
	block := filepath.Join(dir, bestDir)
	if err := os.WriteFile(block, nil, 0o644); err != nil { // a file in the way
		t.Fatal(err)
	}
	r.OnUpdate = func(u Update) {
		if u.Step == 5 {
			os.Remove(block)
		}
	}
	s := do(t, r, context.Background())
	if s.Steps != 12 || s.Best == nil || s.Best.Step != 8 || !strings.Contains(text.String(), "write the best checkpoint, of step 4: ") {
		t.Errorf("ended as %+v, best %+v; log %s", s, s.Best, text.String())
	}
	if _, err := checkpoint.Open(block, nil); err != nil {
		t.Error(err)
	}
}

// A run resumed with another --keep-best, or its first one, does not measure CIDEr by a loss, nor wait for what was never kept.
func TestResumeWithAnotherBest(t *testing.T) {
	for _, c := range []struct{ was, is string }{{ByLoss, ByCIDEr}, {"", ByLoss}, {ByCIDEr, ByLoss}} {
		dir := t.TempDir()
		part := func(keep string, to int64) *Run {
			r := run(t, dir, mapping.KindMLP, nil)
			var err error
			if r.Evaluator, err = NewEvaluator(nn.NewCPU(nn.Float32), r.Trainer.Model, tinyCaptions(t, 7), r.Trainer.Settings); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { r.Evaluator.Close() })
			r.Judge = &Judge{Images: []string{"1"}, References: [][]string{{"a man on a horse"}}, Write: func(context.Context) ([]string, error) { return []string{"a man"}, nil }}
			r.KeepBest, r.Every = keep, 2
			if _, err := r.Resume(); err != nil {
				t.Fatal(err)
			}
			r.Trainer.Schedule.Total = to
			return r
		}
		do(t, part(c.was, 4), t.Context())
		if s := do(t, part(c.is, 6), t.Context()); s.Best == nil || s.Best.Step != 6 || s.Best.By != c.is {
			t.Errorf("%q, then %q: best %+v", c.was, c.is, s.Best)
		}
		if _, err := checkpoint.Open(filepath.Join(dir, bestDir), nil); err != nil {
			t.Error(err)
		}
		if s := do(t, part(c.is, 8), t.Context()); c.is == ByCIDEr && (s.Best.Step != 6 || s.Best.Since != 1) {
			t.Errorf("%q again: best %+v", c.is, s.Best)
		}
	}
}

func TestValidationAndPatience(t *testing.T) {
	dir := t.TempDir()
	r := run(t, dir, mapping.KindMLP, func(s *Settings) { s.Steps = 200 })
	var err error
	if r.Evaluator, err = NewEvaluator(nn.NewCPU(nn.Float32), r.Trainer.Model, tinyCaptions(t, 7), r.Trainer.Settings); err != nil {
		t.Fatal(err)
	}
	defer r.Evaluator.Close()
	scores := []float64{}
	r.Judge = &Judge{Images: []string{"1", "2"}, References: [][]string{{"a man on a horse", "a rider"}, {"two dogs in the snow"}}, Samples: 1,
		Write: func(context.Context) ([]string, error) {
			if len(scores) == 1 {
				return []string{"a man on a horse", "two dogs in the snow"}, nil
			}
			return []string{"a man on a horse", "nothing"}, nil
		}}
	r.Every, r.KeepBest, r.Patience = 3, ByCIDEr, 3
	r.OnRecord = func(rec Record) {
		if rec.ValLoss == nil || *rec.ValLoss <= 0 || len(rec.Samples) != 1 {
			t.Errorf("record %+v", rec)
		}
		scores = append(scores, *rec.ValCIDEr)
	}
	s := do(t, r, context.Background())
	// The second evaluation is the best, three more do not beat it.
	if s.Stopped != "patience" || s.Steps != 15 || s.Best.Step != 6 || s.Best.Since != 3 || len(scores) != 5 || scores[1] <= scores[0] {
		t.Errorf("ended as %+v, best %+v, scores %v", s, s.Best, scores)
	}
	for _, d := range []string{dir, filepath.Join(dir, bestDir)} {
		if _, err := checkpoint.Open(d, nil); err != nil {
			t.Error(err)
		}
	}
	page, err := os.ReadFile(filepath.Join(dir, PageFile))
	if err != nil || !strings.Contains(string(page), "a man on a horse") || strings.Contains(string(page), "two dogs") {
		t.Errorf("the page has not the one sample (%v)", err)
	}
	if _, err := NewEvaluator(nn.NewCPU(nn.Float32), r.Trainer.Model, captions(t, features(t, 5, 7), `{"row":0,"tokens":[1]}`, 50), r.Trainer.Settings); err == nil {
		t.Error("validation features of another width were taken")
	}
}

// A loss that is no number ends the run with the way back.
func TestRunStopsAtNaN(t *testing.T) {
	r := run(t, t.TempDir(), mapping.KindMLP, nil)
	r.OnUpdate = func(u Update) {
		if u.Step == 5 {
			p := r.Trainer.Model.MapperParams()[0]
			p.Data[0] *= float32(0)
			p.Data[0] /= p.Data[0]
			p.Changed()
		}
	}
	_, err := r.Do(context.Background())
	var nan *NotFinite
	if !errors.As(err, &nan) || nan.Step != 6 || !strings.Contains(err.Error(), "the last good checkpoint is "+r.Dir+" at step 4") {
		t.Errorf("error %v", err)
	}
	if ok, err := run(t, r.Dir, mapping.KindMLP, nil).Resume(); !ok || err != nil {
		t.Errorf("the last good checkpoint does not resume: %v %v", ok, err)
	}
}
