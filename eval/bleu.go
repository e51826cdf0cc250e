package eval

import (
	"math"

	"github.com/clipcap-go/clipcap/eval/internal/parallel"
)

// BLEUStats are the counts BLEU is computed from, of one image or summed over several.
type BLEUStats struct {
	Candidate int    // words of the candidate
	Reference int    // words of the reference whose length is nearest, the shorter of two as near
	Guess     [4]int // n-grams of the candidate, of 1 to 4 words
	Correct   [4]int // of them, those found in a reference, each as often as the reference that has it most often
}

// Add adds k times the counts of t.
func (s *BLEUStats) Add(t BLEUStats, k int) {
	s.Candidate += k * t.Candidate
	s.Reference += k * t.Reference
	for n := range maxN {
		s.Guess[n] += k * t.Guess[n]
		s.Correct[n] += k * t.Correct[n]
	}
}

// Score returns BLEU-1 to BLEU-4, 0 to 1 (Papineni et al. 2002) with coco-caption's two small constants, which keep a score above 0 where
// no n-gram is right and below 1 where all are.
func (s BLEUStats) Score() [4]float64 {
	const small, tiny = 1e-9, 1e-15
	var score [4]float64
	product := 1.0
	for n := range maxN {
		product *= (float64(s.Correct[n]) + tiny) / (float64(s.Guess[n]) + small)
		score[n] = math.Pow(product, 1/float64(n+1))
	}
	if ratio := (float64(s.Candidate) + tiny) / (float64(s.Reference) + small); ratio < 1 {
		brevity := math.Exp(1 - 1/ratio)
		for n := range score {
			score[n] *= brevity
		}
	}
	return score
}

// BLEU returns the counts of each image. An image's score is that of its counts, the corpus score that of their sum.
func (c *Corpus) BLEU() []BLEUStats {
	stats := make([]BLEUStats, len(c.images))
	parallel.Do(len(stats), func(next func() (int, int)) {
		most := make([]int32, c.grams) // gram → its count in the reference that has it most often
		for from, to := next(); from < to; from, to = next() {
			for i := from; i < to; i++ {
				stats[i] = c.images[i].bleu(most)
			}
		}
	})
	return stats
}

// bleu counts one image; most is all zero and is left so.
func (im *image) bleu(most []int32) BLEUStats {
	s := BLEUStats{Candidate: im.candidate.words, Reference: im.nearestLength()}
	for n := range maxN {
		for _, r := range im.references {
			b := &r.bags[n]
			for i, g := range b.gram {
				most[g] = max(most[g], b.count[i])
			}
		}
		b := &im.candidate.bags[n]
		for i, g := range b.gram {
			s.Correct[n] += int(min(b.count[i], most[g]))
		}
		s.Guess[n] = max(0, im.candidate.words-n)
		for _, r := range im.references {
			for _, g := range r.bags[n].gram {
				most[g] = 0
			}
		}
	}
	return s
}

// nearestLength is the length of the reference nearest to the candidate's; of two as near, the shorter.
func (im *image) nearestLength() int {
	best, bestOff := 0, math.MaxInt
	for _, r := range im.references {
		off := max(r.words-im.candidate.words, im.candidate.words-r.words)
		if off < bestOff || off == bestOff && r.words < best {
			best, bestOff = r.words, off
		}
	}
	return best
}
