package bpe

import (
	"fmt"
	"math"
	"math/bits"
)

// Merges is the ordered list of pairs of tokens that may be joined, as a hash table with
// open addressing: one probe a pair in nearly every case, and no allocation to look up.
// It is filled once and read by any number of goroutines afterwards.
type Merges struct {
	slots  []slot
	shift  uint    // 64 - log2(len(slots))
	merged []int32 // of each merge, in order, the token it makes
}

type slot struct {
	pair uint64 // left<<32 | right
	rank int32  // position in the list plus one; 0 marks a free slot
}

// NewMerges makes an empty table with room for n merges.
func NewMerges(n int) *Merges {
	log := bits.Len(uint(max(n, 4)*2 - 1))
	return &Merges{slots: make([]slot, 1<<log), shift: uint(64 - log), merged: make([]int32, 0, n)}
}

// Len is the number of merges.
func (m *Merges) Len() int { return len(m.merged) }

// Add appends the merge of left and right into token. A pair already there, or one more than
// the table has room for, is an error.
func (m *Merges) Add(left, right, token int32) error {
	if len(m.merged) == cap(m.merged) {
		return fmt.Errorf("more than %d merges", cap(m.merged))
	}
	pair := join(left, right)
	s := m.find(pair)
	if s.rank != 0 {
		return fmt.Errorf("merge of tokens %d and %d is listed twice", left, right)
	}
	m.merged = append(m.merged, token)
	*s = slot{pair: pair, rank: int32(len(m.merged))}
	return nil
}

func join(left, right int32) uint64 { return uint64(uint32(left))<<32 | uint64(uint32(right)) }

// find returns pair's slot, or the free one where it would go.
func (m *Merges) find(pair uint64) *slot {
	// Fibonacci hashing: the high bits of the product are well mixed.
	for i := (pair * 0x9e3779b97f4a7c15) >> m.shift; ; i = (i + 1) & uint64(len(m.slots)-1) {
		if s := &m.slots[i]; s.pair == pair || s.rank == 0 {
			return s
		}
	}
}

const never = math.MaxInt32

// rank is the pair's place in the list, or never.
func (m *Merges) rank(left, right int32) int32 {
	if s := m.find(join(left, right)); s.rank != 0 {
		return s.rank - 1
	}
	return never
}

// longWord is the number of symbols from which the heap beats the scan.
const longWord = 96

// Apply joins the symbols of one word, in place, until no listed pair is left: always the
// pair that stands earliest in the list, the leftmost where it occurs more than once. It
// returns the shortened slice.
func (m *Merges) Apply(word []int32) []int32 {
	if len(word) >= longWord {
		return m.applyLong(word)
	}
	var ranks [longWord]int32
	for i := range len(word) - 1 {
		ranks[i] = m.rank(word[i], word[i+1])
	}
	for n := len(word) - 1; n > 0; n-- { // n pairs are left
		best := 0
		for i := 1; i < n; i++ {
			if ranks[i] < ranks[best] {
				best = i
			}
		}
		if ranks[best] == never {
			break
		}
		word[best] = m.merged[ranks[best]]
		word = append(word[:best+1], word[best+2:]...)
		copy(ranks[best:n], ranks[best+1:n])
		if best > 0 {
			ranks[best-1] = m.rank(word[best-1], word[best])
		}
		if best+1 < len(word) {
			ranks[best] = m.rank(word[best], word[best+1])
		}
	}
	return word
}
