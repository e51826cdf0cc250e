package meteor

import (
	"bytes"
	"hash/maphash"
	"math/bits"
	"strings"
)

// maxPhrase is the longest phrase, in words, that a filter knows; longer ones pass it.
const maxPhrase = 7

// A filter says whether a phrase may occur in some texts: a Bloom filter of their sequences of words. It may say yes where there is none.
type filter struct {
	bits []uint64
	mask uint64
	seed maphash.Seed
}

// newFilter makes a filter for texts of so many words in all.
func newFilter(words int, seed maphash.Seed) *filter {
	const bitsEach = 8
	size := max(64, uint64(words)*maxPhrase*bitsEach)
	size = 1 << bits.Len64(size-1)
	return &filter{make([]uint64, size/64), size - 1, seed}
}

// text adds every sequence of words of a text, which stand one space apart.
func (f *filter) text(words []string) {
	line := strings.Join(words, " ")
	from := 0
	for i := range words {
		to := from - 1
		for _, w := range words[i:min(i+maxPhrase, len(words))] {
			to += 1 + len(w)
			h := maphash.String(f.seed, line[from:to])
			f.bits[h&f.mask/64] |= 1 << (h % 64)
		}
		from += len(words[i]) + 1
	}
}

func (f *filter) has(hash uint64) bool { return f.bits[hash&f.mask/64]>>(hash%64)&1 != 0 }

// A gate lets the entries of the paraphrase table pass that may be needed: one side stands in a candidate, the other in a reference.
type gate struct{ candidates, references *filter }

// pass judges an entry.
func (g *gate) pass(phrase, paraphrase []byte) bool {
	candidate, reference := g.where(phrase)
	if !candidate && !reference {
		return false
	}
	other, another := g.where(paraphrase)
	return candidate && another || reference && other
}

// where says whether a phrase may stand in a candidate and in a reference.
func (g *gate) where(phrase []byte) (candidate, reference bool) {
	h := maphash.Bytes(g.candidates.seed, phrase)
	candidate, reference = g.candidates.has(h), g.references.has(h)
	if !(candidate && reference) && bytes.Count(phrase, space) >= maxPhrase {
		return true, true // longer than the filters know
	}
	return candidate, reference
}

var space = []byte{' '}
