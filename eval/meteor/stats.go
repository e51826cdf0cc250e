package meteor

import "math"

// Numbers of METEOR 1.5 for English (Denkowski and Lavie 2014).
const (
	alpha = 0.85 // how much precision counts against recall
	beta  = 0.2  // exponent of the fragmentation
	gamma = 0.6  // weight of the fragmentation
	delta = 0.75 // weight of a content word; a function word has the rest
)

// modules are the ways two words or phrases match: exact, stem, synonym, paraphrase.
const modules = 4

// weights are those of the modules in the score.
var weights = [modules]float64{1, 0.6, 0.8, 0.6}

// A Side counts words of the candidate or of the reference.
type Side struct {
	Words           int          // of the text
	Function        int          // of them, function words
	ContentMatched  [modules]int // matched content words
	FunctionMatched [modules]int // matched function words
}

// total is the number of matched words.
func (s *Side) total() int {
	n := 0
	for m := range modules {
		n += s.ContentMatched[m] + s.FunctionMatched[m]
	}
	return n
}

// weighted returns the weighted length and the weighted matches.
func (s *Side) weighted() (length, matches float64) {
	length = delta*float64(s.Words-s.Function) + (1-delta)*float64(s.Function)
	for m, n := range s.ContentMatched {
		matches += weights[m] * float64(n) * delta
	}
	for m, n := range s.FunctionMatched {
		matches += weights[m] * float64(n) * (1 - delta)
	}
	return length, matches
}

// Stats are the counts METEOR is computed from, of one candidate and its best reference or summed over several.
type Stats struct {
	Candidate, Reference Side
	Chunks               int // runs of matched words that stand in the same order on both sides
}

// perfect reports whether all words of both sides are matched in one run.
func (s *Stats) perfect() bool {
	return s.Candidate.total() == s.Candidate.Words && s.Reference.total() == s.Reference.Words && s.Chunks == 1
}

// Add adds the counts of t. The one chunk of a perfect match is not counted, or a corpus of perfect matches would not be perfect.
func (s *Stats) Add(t Stats) {
	s.Candidate.add(&t.Candidate)
	s.Reference.add(&t.Reference)
	if !t.perfect() {
		s.Chunks += t.Chunks
	}
}

func (s *Side) add(t *Side) {
	s.Words += t.Words
	s.Function += t.Function
	for m := range modules {
		s.ContentMatched[m] += t.ContentMatched[m]
		s.FunctionMatched[m] += t.FunctionMatched[m]
	}
}

// Score is METEOR's: the F-measure of the weighted matches, less a penalty for scattered ones; 0 where nothing matches.
func (s Stats) Score() float64 {
	candidate, found := s.Candidate.weighted()
	reference, covered := s.Reference.weighted()
	if candidate == 0 || reference == 0 || found == 0 || covered == 0 {
		return 0
	}
	precision, recall := found/candidate, covered/reference
	f := 1 / ((1-alpha)/precision + alpha/recall)
	n, m := s.Candidate.total(), s.Reference.total()
	fragmentation := float64(s.Chunks) / (float64(n+m) / 2)
	if n == s.Candidate.Words && m == s.Reference.Words && s.Chunks <= 1 {
		fragmentation = 0 // one unbroken run; a sum of such counts no chunk at all
	}
	return f * (1 - gamma*math.Pow(fragmentation, beta))
}

// BestOf returns the index of the stats with the highest score, the first of equals, or -1 of nothing.
func bestOf(stats []Stats) int {
	best, high := -1, math.Inf(-1)
	for i, s := range stats {
		if v := s.Score(); v > high {
			best, high = i, v
		}
	}
	return best
}
