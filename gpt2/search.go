package gpt2

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// Caption is one text the model wrote, as tokens: those of the prompt, then its own, with the stop token where it was
// written. Score is the mean natural log-probability of its own.
type Caption struct {
	Tokens []int32
	Score  float64
}

// beam is a caption under way.
type beam struct {
	tokens []int32 // of the prompt and written
	rows   []int32 // cache rows seen: the prompt's, which all beams share, and one for each token that was fed
	logp   float64 // of what was written
	n      int     // tokens written
	done   bool
	random rand.PCG
}

// set makes b a copy of a beam, in b's own memory.
func (b *beam) set(a *beam) {
	tokens, rows := append(b.tokens[:0], a.tokens...), append(b.rows[:0], a.rows...)
	*b = *a
	b.tokens, b.rows = tokens, rows
}

// write appends a token.
func (b *beam) write(token int32, logp float64, stop int32) {
	b.tokens = append(b.tokens, token)
	b.logp += logp
	b.n++
	b.done = token == stop
}

// search is the work on one prompt.
type search struct {
	index  int // of the prompt
	prompt Prompt
	length int // of the prompt, in rows
	fed    int // rows of the prompt that were run
	steps  int // tokens every unfinished beam has written

	beams, spare []beam
	heads        []int // of the beams that were fed: which head of the step is theirs; -1 for none
	candidates   []candidate
}

// begin starts on a prompt.
func (s *search) begin(index int, p Prompt, dim int, o *Options) {
	s.index, s.prompt, s.fed, s.steps = index, p, 0, 0
	s.length = len(p.Prefix)/dim + len(p.Tokens)
	for _, list := range [...][]beam{s.beams[:cap(s.beams)], s.spare[:cap(s.spare)]} {
		for i := range list { // as much as they can need, so that no step allocates
			b := &list[i]
			b.tokens = slices.Grow(b.tokens[:0], len(p.Tokens)+o.MaxTokens)
			b.rows = slices.Grow(b.rows[:0], s.length+o.MaxTokens)
		}
	}
	s.beams = s.beams[:1]
	b := &s.beams[0]
	*b = beam{tokens: append(b.tokens[:0], p.Tokens...), rows: b.rows[:0]}
}

// finished tells whether there is nothing left to write.
func (s *search) finished(o *Options) bool {
	switch s.steps {
	case 0:
		return false // the prompt may still have to be read
	case o.MaxTokens:
		return true
	}
	for i := range s.beams {
		if !s.beams[i].done {
			return false
		}
	}
	return true
}

// rank is what beams are ordered by.
func (o *Options) rank(logp float64, n int) float64 {
	if o.LengthPenalty == 1 {
		return logp / float64(n)
	}
	return logp / math.Pow(float64(n), o.LengthPenalty)
}

// candidate is a beam with one more token; token -1 stands for a finished beam as it is.
type candidate struct {
	from  int
	token int32
	logp  float64 // of the token
	rank  float64
}

// expand takes a beam search one token further by the original's rules: of all beams with all words behind them, finished
// beams counting as they are, the best by mean log-probability stay. top gives what nn.Top found for a head: the
// greatest logits, their tokens, and the log of the sum.
func (s *search) expand(o *Options, pool *rowPool, top func(head int) (logits, tokens []float64, lse float64)) {
	s.candidates = s.candidates[:0]
	for i := range s.beams {
		b := &s.beams[i]
		if b.done {
			s.candidates = append(s.candidates, candidate{i, -1, 0, o.rank(b.logp, b.n)})
			continue
		}
		logits, tokens, lse := top(s.heads[i])
		left := o.width()
		for j, x := range logits {
			if token := int32(tokens[j]); left > 0 && !repeats(b.tokens, token, o.NoRepeat) {
				s.candidates = append(s.candidates, candidate{i, token, x - lse, o.rank(b.logp+x-lse, b.n+1)})
				left--
			}
		}
	}
	// Stable, so that of equals the earlier beam's, and its likelier word, comes first.
	slices.SortStableFunc(s.candidates, func(a, b candidate) int { return cmp.Compare(b.rank, a.rank) })
	next := s.spare[:min(o.width(), len(s.candidates))]
	for i := range next {
		c := &s.candidates[i]
		next[i].set(&s.beams[c.from])
		pool.share(next[i].rows)
		if c.token >= 0 {
			next[i].write(c.token, c.logp, o.Stop)
		}
	}
	for i := range s.beams {
		pool.give(s.beams[i].rows)
	}
	s.beams, s.spare = next, s.beams
	s.steps++
}

// repeats tells whether token after tokens would complete a sequence of n tokens that is there already.
func repeats(tokens []int32, token int32, n int) bool {
	if n == 0 || len(tokens) < n-1 {
		return false
	}
	end := tokens[len(tokens)-(n-1):]
	for i := 0; i+n <= len(tokens); i++ {
		if tokens[i+n-1] == token && slices.Equal(tokens[i:i+n-1], end) {
			return true
		}
	}
	return false
}

// captions are the best beams, best first.
func (s *search) captions(o *Options) []Caption {
	slices.SortStableFunc(s.beams, func(a, b beam) int { return cmp.Compare(o.rank(b.logp, b.n), o.rank(a.logp, a.n)) })
	out := make([]Caption, min(o.N, len(s.beams)))
	for i := range out {
		b := &s.beams[i]
		out[i] = Caption{Tokens: slices.Clone(b.tokens), Score: b.logp / float64(b.n)}
	}
	return out
}
