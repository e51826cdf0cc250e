package clipcap

import (
	"context"
	"errors"
	"fmt"
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
				words, err = m.nearest(p.Prefix)
			}
			if !yield(words, err) {
				return
			}
		}
	}
}

// tableBlock is how many token embeddings are looked at together.
const tableBlock = 512

// nearest finds the tokens for the rows of a prefix.
func (m *Model) nearest(prefix []float32) ([]Word, error) {
	c := m.lm.Config
	n := len(prefix) / c.Dim
	blocks := (c.Vocab + tableBlock - 1) / tableBlock
	found, errs := make([][]Word, blocks), make([]error, blocks)
	lengths := make([]float64, n)
	for i := range lengths {
		row := prefix[i*c.Dim:][:c.Dim]
		if lengths[i] = math.Sqrt(inner(row, row)); math.IsNaN(lengths[i]) || math.IsInf(lengths[i], 0) {
			return nil, errNotFinite
		}
	}
	var group sync.WaitGroup
	turns := make(chan struct{}, runtime.GOMAXPROCS(0))
	for block := range blocks {
		turns <- struct{}{}
		group.Go(func() {
			defer func() { <-turns }()
			found[block], errs[block] = m.nearestOf(prefix, lengths, block*tableBlock)
		})
	}
	group.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	words := found[0]
	for _, other := range found[1:] {
		for i, w := range other {
			if w.Similarity > words[i].Similarity {
				words[i] = w
			}
		}
	}
	for i := range words {
		if m.tokenizer != nil {
			words[i].Text, _ = m.tokenizer.Decode([]int32{words[i].Token}) // the table and the vocabulary are equally long
		}
	}
	return words, nil
}

// nearestOf looks at the tokens from first on.
func (m *Model) nearestOf(prefix []float32, lengths []float64, first int) ([]Word, error) {
	c := m.lm.Config
	table := make([]float32, min(tableBlock, c.Vocab-first)*c.Dim)
	if err := m.lm.Tokens.Weight.Rows(table, first); err != nil {
		return nil, fmt.Errorf("prefix words: %w", err)
	}
	words := make([]Word, len(lengths))
	for i := range words {
		words[i].Similarity = math.Inf(-1)
	}
	for t := range len(table) / c.Dim {
		row := table[t*c.Dim:][:c.Dim]
		length := math.Sqrt(inner(row, row))
		for i := range words {
			s := 0.0
			if length > 0 && lengths[i] > 0 {
				s = inner(row, prefix[i*c.Dim:][:c.Dim]) / (lengths[i] * length)
			}
			if s > words[i].Similarity {
				words[i] = Word{Token: int32(first + t), Similarity: s}
			}
		}
	}
	return words, nil
}

func inner(a, b []float32) float64 {
	var sum float64
	b = b[:len(a)]
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}
