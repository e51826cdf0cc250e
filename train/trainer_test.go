package train

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
)

// Captions that share their image's prefix have the losses and the updates of captions with prefixes of their own.
func TestSharedPrefixIsExact(t *testing.T) {
	for _, kind := range []mapping.Kind{mapping.KindMLP, mapping.KindTransformer, mapping.KindLinear} {
		for _, frozen := range []bool{false, true} {
			s := settings(10, 6)
			s.FrozenLM = frozen
			s.Group = true
			c := tinyCaptions(t, 43)
			shared := trainer(t, tiny(t, kind), c, s)
			got := losses(t, shared, 6)
			apart := trainer(t, tiny(t, kind), c, s)
			apart.packer.Shared = false // the same batches
			var err error
			params := apart.Model.Params().Trainable()
			if apart.net, err = newNetwork(nn.NewCPU(nn.Float32), apart.Model, apart.Capacity(), networkOptions{params: params}); err != nil {
				t.Fatal(err)
			}
			if apart.opt, err = nn.NewAdamW(apart.net.machine, params, apart.net.grads.Of); err != nil {
				t.Fatal(err)
			}
			want := losses(t, apart, 6)
			if d := differ(got, want); d > 1e-4 || got[0] == got[5] {
				t.Errorf("%s frozen=%v: losses %v\nwant %v", kind, frozen, got, want)
			}
		}
	}
}

// Two batches an update are one of twice the size.
func TestAccumulationIsExact(t *testing.T) {
	c := tinyCaptions(t, 43)
	s := settings(10, 8)
	s.GradClip = 0.5
	one := losses(t, trainer(t, tiny(t, mapping.KindMLP), c, s), 8)
	s.BatchSize, s.Accumulate = 5, 2
	two := losses(t, trainer(t, tiny(t, mapping.KindMLP), c, s), 8)
	if d := differ(one, two); d > 1e-4 {
		t.Errorf("off by %v:\n%v\n%v", d, one, two)
	}
}

// Epochs are times over the captions also where an update's batches do not divide an epoch's.
func TestEpochs(t *testing.T) {
	s := settings(4, 0)
	s.Epochs, s.Accumulate = 6, 2
	tr := trainer(t, tiny(t, mapping.KindMLP), tinyCaptions(t, 20), s) // 5 batches an epoch
	if tr.Schedule.Total != 15 || tr.PerEpoch != 2 {
		t.Errorf("%d updates, %d whole ones an epoch; want 15 and 2", tr.Schedule.Total, tr.PerEpoch)
	}
	if u, err := tr.Step(t.Context()); err != nil || u.Epoch != 0.4 {
		t.Errorf("after the first update epoch %v, %v; want 0.4", u.Epoch, err)
	}
}

// A clipped gradient is as long as it may be: the first update with momentum at zero moves as far as that.
func TestClipping(t *testing.T) {
	c := tinyCaptions(t, 20)
	s := settings(10, 4)
	s.GradClip = 1e-3
	tr := trainer(t, tiny(t, mapping.KindMLP), c, s)
	u, err := tr.Step(context.Background())
	if err != nil || u.GradNorm < 1 {
		t.Fatalf("a gradient of length %v: %v", u.GradNorm, err)
	}
	var sum float64
	for i, p := range tr.opt.Params() {
		m, v := make([]float32, len(p.Data)), make([]float32, len(p.Data))
		if err := tr.opt.Moments(i, 0, m, v); err != nil {
			t.Fatal(err)
		}
		for _, x := range m {
			sum += float64(x) * float64(x)
		}
	}
	if got := math.Sqrt(sum) / 0.1; math.Abs(got-1e-3) > 1e-6 {
		t.Errorf("clipped to %v, want 0.001", got)
	}
}

// What is frozen does not move, whatever freezes it, and everything else does.
func TestFreezing(t *testing.T) {
	c := tinyCaptions(t, 20)
	for _, k := range []struct {
		name   string
		set    func(*Settings)
		moves  func(name string) bool
		tunes  bool
		params int
	}{
		{"all", func(*Settings) {}, func(string) bool { return true }, true, 4 + 2 + 24 + 2},
		{"frozen LM", func(s *Settings) { s.FrozenLM = true }, func(n string) bool { return strings.HasPrefix(n, "clip_project.") }, false, 4},
		{"patterns", func(s *Settings) {
			s.Freeze = []string{"gpt.transformer.h.0", "*.wpe.weight", "clip_project.model.0.*"}
		}, func(n string) bool {
			return !strings.HasPrefix(n, "gpt.transformer.h.0.") && n != "gpt.transformer.wpe.weight" && !strings.HasPrefix(n, "clip_project.model.0.")
		}, true, 2 + 1 + 12 + 2},
		{"lora", func(s *Settings) { s.LoRA = 3 }, func(n string) bool { return strings.HasPrefix(n, "clip_project.") || strings.Contains(n, ".lora.") }, true, 4 + 16},
		{"lora, patterns", func(s *Settings) { s.LoRA, s.Freeze = 3, []string{"gpt.transformer.h.0", "*.mlp.c_fc.weight"} }, func(n string) bool {
			return strings.HasPrefix(n, "clip_project.") || strings.Contains(n, "h.1.") && strings.Contains(n, ".lora.") && !strings.Contains(n, "c_fc")
		}, true, 4 + 6},
	} {
		t.Run(k.name, func(t *testing.T) {
			s := settings(10, 4)
			s.WeightDecay = 0.01
			k.set(&s)
			m := tiny(t, mapping.KindMLP)
			tr := trainer(t, m, c, s)
			if n := len(tr.opt.Params()); n != k.params || m.TunesLM() != k.tunes {
				t.Errorf("%d parameters are trained, want %d; tunes the LM: %v", n, k.params, m.TunesLM())
			}
			before := map[string][]float32{}
			for _, p := range m.Params() {
				before[p.Name] = slices.Clone(p.Data)
			}
			losses(t, tr, 2)
			for _, p := range m.Params() {
				if moved := !slices.Equal(before[p.Name], p.Data); moved != k.moves(p.Name) {
					t.Errorf("%s moved: %v", p.Name, moved)
				}
			}
		})
	}
	if err := tiny(t, mapping.KindMLP).freeze(false, []string{"gpt.*.nothing"}); err == nil || !strings.Contains(err.Error(), "matches no weight") {
		t.Errorf("a pattern that matches nothing: %v", err)
	}
	if err := tiny(t, mapping.KindMLP).freeze(false, []string{"*"}); err == nil || !strings.Contains(err.Error(), "nothing is left") {
		t.Errorf("all frozen: %v", err)
	}
}

// Adapters start as nothing, and multiplied out they are the model that was trained.
func TestLoRA(t *testing.T) {
	c := tinyCaptions(t, 20)
	s := settings(10, 8)
	plain := losses(t, trainer(t, tiny(t, mapping.KindMLP), c, s), 1)
	s.LoRA = 2
	m := tiny(t, mapping.KindMLP)
	tr := trainer(t, m, c, s)
	if d := math.Abs(losses(t, tr, 1)[0] - plain[0]); d > 1e-6 {
		t.Errorf("fresh adapters change the loss by %v", d)
	}
	losses(t, tr, 3)
	merged := m.Merged()
	var mapper [][]float32
	for _, p := range m.MapperParams() {
		mapper = append(mapper, slices.Clone(p.Data))
	}
	want := losses(t, tr, 1)[0] // before the fifth update
	other := tiny(t, mapping.KindMLP)
	for i, p := range other.LMParams() {
		copy(p.Data, merged[i].Data)
	}
	for i, p := range other.MapperParams() {
		copy(p.Data, mapper[i])
	}
	s.LoRA = 0
	same := trainer(t, other, c, s)
	same.done = 4
	if got := losses(t, same, 1)[0]; math.Abs(got-want) > 1e-5 {
		t.Errorf("merged, the model's loss is %v, was %v", got, want)
	}
}

// A loss that is no number stops the run before the parameters are touched, and says where.
func TestNotFinite(t *testing.T) {
	c := tinyCaptions(t, 20)
	m := tiny(t, mapping.KindMLP)
	tr := trainer(t, m, c, settings(10, 8))
	losses(t, tr, 1)
	p := m.MapperParams()[0]
	p.Data[0] = float32(math.NaN())
	p.Changed()
	after := slices.Clone(m.MapperParams()[3].Data)
	_, err := tr.Step(context.Background())
	var nan *NotFinite
	if !errors.As(err, &nan) || nan.Step != 2 || len(nan.Images) == 0 || !strings.Contains(err.Error(), "step 2: the loss is not a finite number; image ids of the batch: ") {
		t.Errorf("error %v", err)
	}
	if !slices.Equal(after, m.MapperParams()[3].Data) || tr.Done() != 1 {
		t.Error("the parameters moved")
	}
}

// The bigger run: weights are learned, with dropout, at every precision, and the optimizer's options do not break it.
func TestLearns(t *testing.T) {
	c := tinyCaptions(t, 20)
	for _, precision := range []string{"float32", "high", "bfloat16"} {
		s := settings(10, 60)
		s.Precision, s.Dropout, s.Schedule, s.Warmup, s.Noise, s.Normalize = precision, -1, Cosine, -1, 0.001, true
		ls := losses(t, trainer(t, tiny(t, mapping.KindTransformer), c, s), 60)
		if ls[58]+ls[59] > ls[0] {
			t.Errorf("%s: the loss went from %.3f to %.3f", precision, ls[0], ls[59])
		}
	}
}

func TestRefusals(t *testing.T) {
	c := tinyCaptions(t, 20)
	for _, k := range []struct {
		set  func(*Settings)
		want string
	}{
		{func(s *Settings) { s.BatchSize = 21 }, "no batch of 21 can be filled from 20 captions"},
		{func(s *Settings) { s.BatchSize = 0 }, "--batch-size 0"},
		{func(s *Settings) { s.Schedule = "cubic" }, `--schedule "cubic"`},
		{func(s *Settings) { s.LR = math.NaN() }, "--lr NaN"},
		{func(s *Settings) { s.Steps, s.Epochs = 0, 0 }, "--epochs 0"},
		{func(s *Settings) { s.Steps, s.Accumulate = 0, 7 }, "makes no update"},
		{func(s *Settings) { s.Precision = "float16" }, "--precision"},
		{func(s *Settings) { s.Dropout = 1 }, "--dropout 1"},
	} {
		s := settings(10, 4)
		k.set(&s)
		if _, err := New(nn.NewCPU(nn.Float32), tiny(t, mapping.KindMLP), c, s); err == nil || !strings.Contains(err.Error(), k.want) {
			t.Errorf("error %v, want one with %q", err, k.want)
		}
	}
	m := tiny(t, mapping.KindMLP)
	m.LM.Config.Positions = 9
	if _, err := New(nn.NewCPU(nn.Float32), m, c, settings(10, 4)); err == nil || !strings.Contains(err.Error(), "positions") {
		t.Errorf("captions longer than the language model: %v", err)
	}
}
