package train

import (
	"fmt"
	"math"

	"github.com/clipcap-go/clipcap/internal/plural"
)

// The shapes of the learning rate over a run, after Hugging Face's schedules.
const (
	Linear   = "linear"   // falls to 0 in a straight line, the original's
	Cosine   = "cosine"   // falls to 0 along half a cosine
	Constant = "constant" // stays
)

// Schedules are the names Schedule.Kind takes.
var Schedules = []string{Linear, Cosine, Constant}

// Schedule is the learning rate over a run: it rises from 0 over Warmup updates, then follows Kind.
type Schedule struct {
	Kind   string  // one of Schedules
	LR     float64 // the highest
	Warmup int64   // updates
	Total  int64   // updates
}

// At is the learning rate of an update, counted from 1. The first is 0 wherever there is a warm-up, because the original's scheduler
// stands at 0 when the first update is made.
func (s Schedule) At(update int64) float64 {
	done := update - 1
	if done < s.Warmup {
		return s.LR * float64(done) / float64(s.Warmup)
	}
	left := float64(s.Total-done) / float64(max(1, s.Total-s.Warmup))
	switch s.Kind {
	case Cosine:
		return s.LR * 0.5 * (1 + math.Cos(math.Pi*(1-max(0, left))))
	case Constant:
		return s.LR
	}
	return s.LR * max(0, left)
}

// autoWarmup is the warm-up for runs of any length: a tenth of the run, at most the original's 5000.
func autoWarmup(total int64) int64 { return min(DefaultWarmup, total/10) }

// DefaultWarmup is the original's warm-up, in updates.
const DefaultWarmup = 5000

// Warning says what is wrong with a schedule that can still be followed, or "".
func (s Schedule) Warning() string {
	if s.Warmup < s.Total {
		return ""
	}
	advice := fmt.Sprintf("--warmup auto would take %d", autoWarmup(s.Total))
	if autoWarmup(s.Total) == 0 {
		advice = "a run this short wants none: --warmup 0"
	}
	return fmt.Sprintf("the run of %s ends before its warm-up of %d does: the learning rate ends at %.2g and never reaches %.2g (%s)",
		plural.Of(s.Total, "step"), s.Warmup, s.At(s.Total), s.LR, advice)
}
