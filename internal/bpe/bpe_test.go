package bpe

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// plainMerge is encoder.py's procedure: find the best pair, join all its occurrences, again.
func plainMerge(word []int32, pairs [][3]int32) []int32 {
	for {
		best := len(pairs)
		for i := range len(word) - 1 {
			if r := slices.IndexFunc(pairs, func(p [3]int32) bool { return p[0] == word[i] && p[1] == word[i+1] }); r >= 0 {
				best = min(best, r)
			}
		}
		if best == len(pairs) {
			return word
		}
		var next []int32
		for i := 0; i < len(word); i++ {
			if i+1 < len(word) && word[i] == pairs[best][0] && word[i+1] == pairs[best][1] {
				next = append(next, pairs[best][2])
				i++
				continue
			}
			next = append(next, word[i])
		}
		word = next
	}
}

// grown is a list of merges in which each token is made once, of tokens made before it, as training makes them.
func grown(r *rand.Rand, letters, n int) (pairs [][3]int32) {
	for seen := map[[2]int32]bool{}; len(pairs) < n; {
		have := int32(letters + len(pairs))
		p := [2]int32{r.Int32N(have), r.Int32N(have)}
		if !seen[p] {
			seen[p] = true
			pairs = append(pairs, [3]int32{p[0], p[1], have})
		}
	}
	return pairs
}

func TestApplyEqualsPlain(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		pairs := grown(r, 3, r.IntN(40))
		m := NewMerges(len(pairs))
		for _, p := range pairs {
			if err := m.Add(p[0], p[1], p[2]); err != nil {
				t.Fatal(err)
			}
		}
		word := make([]int32, r.IntN(2*longWord))
		for i := range word {
			word[i] = r.Int32N(3)
		}
		want := plainMerge(slices.Clone(word), pairs)
		if got := m.Apply(slices.Clone(word)); !slices.Equal(got, want) {
			t.Fatalf("Apply(%d symbols, %d merges) = %v, want %v", len(word), len(pairs), got, want)
		}
		if got := m.applyLong(slices.Clone(word)); !slices.Equal(got, want) {
			t.Fatalf("applyLong(%d symbols, %d merges) = %v, want %v", len(word), len(pairs), got, want)
		}
	}
}

func TestAddRefuses(t *testing.T) {
	m := NewMerges(2)
	if err := m.Add(0, 1, 2); err != nil {
		t.Fatal(err)
	}
	if m.Add(0, 1, 3) == nil {
		t.Error("a pair listed twice was accepted")
	}
	if err := m.Add(1, 0, 3); err != nil {
		t.Fatal(err)
	}
	if m.Add(1, 1, 4) == nil {
		t.Error("a merge beyond the table's room was accepted")
	}
}

func TestSpell(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	spelt := Spell(string(all))
	if back, err := Unspell(spelt); err != nil || back != string(all) {
		t.Errorf("Unspell(Spell(all bytes)) = %q, %v", back, err)
	}
	for in, want := range map[string]string{" the": "Ġthe", "\n": "Ċ", "\x00": "Ā", "\xad": "Ń", "é": "Ã©"} {
		if got := Spell(in); got != want {
			t.Errorf("Spell(%q) = %q, want %q", in, got, want)
		}
	}
	if _, err := Unspell("a b"); err == nil {
		t.Error("Unspell accepted a space, which stands for no byte")
	}
	if Order[0] != '!' || Order[188] != 0 || Order[255] != 0xad {
		t.Errorf("Order = %v, want ! first, 0 after the 188 printable bytes, 0xad last", Order)
	}
}

func TestNext(t *testing.T) {
	for in, want := range map[string]Class{
		"a": Letter, "é": Letter, "中": Letter, "ǅ": Letter, "1": Number, "½": Number, "Ⅷ": Number, "٣": Number,
		" ": Space, "\u00a0": Space, "\u3000": Space, "\u0085": Space, "\u001c": Other, "\u200b": Other, "\u180e": Other,
		"'": Other, "\xff": Other, "\u0301": Other, "�": Other, "\U0001F44D": Other,
	} {
		if c, n := Next(in, 0); c != want || n != len(in) {
			t.Errorf("Next(%q) = %v, %d, want %v, %d", in, c, n, want, len(in))
		}
	}
	if got := Run("aé1", 0, Letter); got != 3 {
		t.Errorf("Run = %d, want 3", got)
	}
}

func TestCacheByManyAtOnce(t *testing.T) {
	var c Cache
	ids := func(n int) []int32 { return []int32{int32(n), int32(-n)} }
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 3 * cacheSlots {
				word := strconv.Itoa(i % 5000)
				if got, ok := c.Get(nil, word); ok && !slices.Equal(got, ids(i%5000)) {
					t.Errorf("Get(%s) = %v", word, got)
					return
				}
				c.Put(word, ids(i%5000))
			}
		})
	}
	all.Wait()
	if got, ok := c.Get([]int32{7}, "4999"); ok {
		if diff := cmp.Diff([]int32{7, 4999, -4999}, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestCacheLeavesLongWordsOut(t *testing.T) {
	var c Cache
	long := string(make([]byte, longestCache+1))
	c.Put(long, []int32{1})
	if _, ok := c.Get(nil, long); ok {
		t.Error("a word longer than the bound was kept")
	}
}
