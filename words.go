package clipcap

import (
	"context"
	"iter"
	"math"
	"runtime"
	"sync"
)

// Word is a token that lies near a row of a prefix.
type Word struct {
	Text       string
	Token      int32
	Similarity float64 // the cosine of the angle between the two
}

// PrefixWords reads prefixes as the paper's figure 6 does: for each row the nearest token embedding, by cosine.
func (m *Model) PrefixWords(ctx context.Context, features iter.Seq2[[]float32, error]) iter.Seq2[[]Word, error] {
	return func(yield func([]Word, error) bool) {
		w, err := m.worker()
		if err != nil {
			yield(nil, err)
			return
		}
		defer m.release(w)
		for p, err := range w.prompts(ctx, features) {
			var words []Word
			if err == nil {
				words = m.nearest(p.Prefix)
			}
			if !yield(words, err) {
				return
			}
		}
	}
}

// nearest finds the tokens for the rows of a prefix.
func (m *Model) nearest(prefix []float32) []Word {
	dim := m.lm.Config.Dim
	table := m.lm.Tokens.Weight.Data
	lengths := m.tokenLengths()
	words := make([]Word, len(prefix)/dim)
	var group sync.WaitGroup
	turns := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i := range words {
		group.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			row := prefix[i*dim:][:dim]
			own := math.Sqrt(inner(row, row))
			best := Word{Similarity: math.Inf(-1)}
			for token, length := range lengths {
				s := 0.0
				if length > 0 && own > 0 {
					s = inner(row, table[token*dim:][:dim]) / (own * length)
				}
				if s > best.Similarity {
					best = Word{Token: int32(token), Similarity: s}
				}
			}
			words[i] = best
		})
	}
	group.Wait()
	for i := range words {
		if m.tokenizer != nil {
			words[i].Text, _ = m.tokenizer.Decode([]int32{words[i].Token}) // the table and the vocabulary are equally long
		}
	}
	return words
}

// tokenLengths are the lengths of the token embeddings.
func (m *Model) tokenLengths() []float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.lengths == nil {
		c := m.lm.Config
		m.lengths = make([]float64, c.Vocab)
		for i := range m.lengths {
			row := m.lm.Tokens.Weight.Data[i*c.Dim:][:c.Dim]
			m.lengths[i] = math.Sqrt(inner(row, row))
		}
	}
	return m.lengths
}

func inner(a, b []float32) float64 {
	var sum float64
	b = b[:len(a)]
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}
