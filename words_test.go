package clipcap

import (
	"context"
	"math"
	"testing"
)

func TestPrefixWords(t *testing.T) {
	ctx := context.Background()
	m, err := Open(ctx, tinyCheckpoint(t, true, nil), Options{FeaturesOnly: true, Decode: short()})
	if err != nil {
		t.Fatal(err)
	}
	// The rows of a prefix that is made of embeddings are those words.
	var prefix []float32
	for _, id := range []int{13, 50256, 0} {
		row := make([]float32, 16)
		if err := m.lm.Tokens.Weight.Rows(row, id); err != nil {
			t.Fatal(err)
		}
		for _, x := range row {
			prefix = append(prefix, 3*x)
		}
	}
	words, err := m.nearest(prefix)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []Word{{".", 13, 1}, {"<|endoftext|>", 50256, 1}, {"!", 0, 1}} {
		if w := words[i]; w.Text != want.Text || w.Token != want.Token || math.Abs(w.Similarity-1) > 1e-6 {
			t.Errorf("row %d: %+v, want %+v", i, w, want)
		}
	}
	for words, err := range m.PrefixWords(ctx, one([]float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})) {
		if err != nil || len(words) != 3 {
			t.Errorf("%v, %v", words, err)
		}
	}
}
