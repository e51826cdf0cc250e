package train

import (
	"math"
	"strings"
	"testing"
)

func TestSchedules(t *testing.T) {
	for _, k := range []struct {
		s    Schedule
		want map[int64]float64
	}{
		{Schedule{Linear, 1, 2, 6}, map[int64]float64{1: 0, 2: 0.5, 3: 1, 4: 0.75, 6: 0.25, 7: 0, 9: 0}},
		{Schedule{Linear, 1, 0, 4}, map[int64]float64{1: 1, 2: 0.75, 4: 0.25}},
		{Schedule{Cosine, 1, 0, 4}, map[int64]float64{1: 1, 3: 0.5, 5: 0}},
		{Schedule{Constant, 1, 2, 4}, map[int64]float64{1: 0, 2: 0.5, 3: 1, 9: 1}},
		{Schedule{Linear, 1, 10, 4}, map[int64]float64{1: 0, 4: 0.3}},
	} {
		for step, want := range k.want {
			if got := k.s.At(step); math.Abs(got-want) > 1e-12 {
				t.Errorf("%+v at %d: %v, want %v", k.s, step, got, want)
			}
		}
	}
	if w := (Schedule{Linear, 1, 10, 4}).Warning(); !strings.Contains(w, "ends at 0.3 and never reaches 1") {
		t.Errorf("warning %q", w)
	}
	if w := (Schedule{Linear, 1, 5000, 300}).Warning(); !strings.Contains(w, "run of 300 steps ends before its warm-up of 5000 does") || !strings.Contains(w, "(--warmup auto would take 30)") {
		t.Errorf("a long warm-up: %q", w)
	}
	if w := (Schedule{Linear, 1, 5000, 1}).Warning(); !strings.Contains(w, "run of 1 step ends") || strings.Contains(w, "auto") || !strings.Contains(w, "--warmup 0") {
		t.Errorf("a run too short for auto: %q", w)
	}
	if w := (Schedule{Linear, 1, 2, 4}).Warning(); w != "" {
		t.Errorf("warning %q of a good schedule", w)
	}
	if autoWarmup(760) != 76 || autoWarmup(1e6) != 5000 {
		t.Error("automatic warm-up")
	}
}
