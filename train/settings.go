package train

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/clipcap-go/clipcap/nn"
)

// Settings are what decides the result of a run, besides the data and the weights it starts from. A run that is resumed must have
// the same.
type Settings struct {
	BatchSize  int   `json:"batch_size"` // captions
	Accumulate int   `json:"accumulate"` // batches an update; their gradients count as those of one large batch
	Epochs     int   `json:"epochs"`     // times over the captions
	Steps      int64 `json:"steps"`      // updates, across epochs; 0: as Epochs says

	LR          float64 `json:"lr"`           // the highest, 0 to 1
	Schedule    string  `json:"schedule"`     // one of Schedules
	Warmup      int64   `json:"warmup"`       // updates; negative: a tenth of the run, at most DefaultWarmup
	WeightDecay float64 `json:"weight_decay"` // of matrices; biases and norms have none
	GradClip    float64 `json:"grad_clip"`    // largest length of all gradients together, 0: any

	Seed       uint64 `json:"seed"`           // of the order, dropout, noise and adapters
	Sequential bool   `json:"sequential"`     // the file's order in every epoch
	KeepLast   bool   `json:"keep_last"`      // the last captions of an epoch, which fill no batch, too
	Group      bool   `json:"group_by_image"` // captions of an image side by side, where they share its prefix: faster

	Normalize bool    `json:"normalize"` // features x become x/‖x‖
	Noise     float64 `json:"noise"`     // variance of normal noise on features, which are normalised for it
	Dropout   float64 `json:"dropout"`   // in the language model; negative: its configuration's when it is tuned, else none
	Precision string  `json:"precision"` // of products: float32, high or bfloat16, as the backend was opened

	FrozenLM bool     `json:"frozen_lm"`        // train the mapper alone
	Freeze   []string `json:"freeze,omitempty"` // patterns of parameters' names: * stands for anything, and what lies below a name goes with it
	LoRA     int      `json:"lora"`             // rank of adapters trained in the language model's place, 0: none
}

// Defaults are the original's settings: 10 epochs of batches of 40, AdamW at 2e-5 with 5000 updates of warm-up, everything tuned.
func Defaults() Settings {
	return Settings{BatchSize: 40, Accumulate: 1, Epochs: 10, LR: 2e-5, Schedule: Linear, Warmup: DefaultWarmup, Dropout: -1, Precision: "high"}
}

// maxLR bounds the learning rate: AdamW moves every weight by about as much a step, and weights are far smaller than 1.
const maxLR = 1

// passing tells whether gradients may be used up one by one: nothing needs all of them at once.
func (s *Settings) passing() bool { return s.Accumulate == 1 && s.GradClip == 0 }

// Validate lists everything that is wrong with s, by the names of clipcap-train's flags.
func (s Settings) Validate() error {
	var errs []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	want(s.BatchSize >= 1 && s.BatchSize <= 1<<20, "--batch-size %d, want 1 to %d", s.BatchSize, 1<<20)
	want(s.Accumulate >= 1 && s.Accumulate <= 1<<20, "--accumulate %d, want 1 to %d", s.Accumulate, 1<<20)
	want(s.Epochs >= 0 && s.Epochs <= 1<<30, "--epochs %d, want 0 to %d", s.Epochs, 1<<30)
	want(s.Steps >= 0 && s.Steps <= 1<<40, "--steps %d, want 0 to %d", s.Steps, int64(1)<<40)
	want(s.Steps != 0 || s.Epochs != 0, "--epochs 0 and --steps 0, want one of them to be 1 or more")
	want(s.LR >= 0 && s.LR <= maxLR, "--lr %v, want 0 to %d", s.LR, maxLR)
	want(s.Warmup <= 1<<40, "--warmup %d, want at most %d", s.Warmup, int64(1)<<40)
	want(slices.Contains(Schedules, s.Schedule), "--schedule %q, want %s", s.Schedule, strings.Join(Schedules, ", "))
	want(s.WeightDecay >= 0 && s.WeightDecay < 1, "--weight-decay %v, want 0 ≤ decay < 1", s.WeightDecay)
	want(s.GradClip >= 0 && s.GradClip <= math.MaxFloat32, "--grad-clip %v, want a float32 of 0 or more (0: any gradient)", s.GradClip)
	want(s.Noise >= 0 && s.Noise <= 1e6, "--noise %v, want 0 to 1000000", s.Noise)
	want(s.Dropout < 1, "--dropout %v, want 0 ≤ p < 1", s.Dropout)
	want(s.LoRA >= 0 && s.LoRA <= 1<<12, "--lora %d, want 0 to 4096", s.LoRA)
	if _, err := nn.ParsePrecision(s.Precision); err != nil {
		errs = append(errs, fmt.Errorf("--precision: %w", err))
	}
	return errors.Join(errs...)
}
