package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// Buffers of all sizes, carved from large pages or larger than one, begin on cache lines and have nothing in common; what is left of a
// page serves smaller ones.
func TestScratchLendsDisjointBuffers(t *testing.T) {
	type span struct{ from, end uintptr }
	var list scratchList
	rng := rand.New(rand.NewPCG(7, 11))
	sizes := []int{0, 1, 1 << scratchLeast, 1<<scratchLeast + 1, hugePage / 8, hugePage/8 + 1, hugePage / 4, hugePage/4 + 1}
	for range 300 {
		sizes = append(sizes, 1<<rng.IntN(20)+rng.IntN(1000))
	}
	for round := range 2 { // the second with what the first gave back
		var all []span
		var lent [][]float32
		for _, n := range sizes {
			v := list.get(n)
			if len(v) != n || cap(v) != 1<<scratchClass(n) {
				t.Fatalf("round %d: a buffer of %d has length %d and capacity %d", round, n, len(v), cap(v))
			}
			at := uintptr(unsafe.Pointer(unsafe.SliceData(v)))
			if at%cacheLine != 0 {
				t.Fatalf("round %d: a buffer of %d begins at %#x, within a cache line", round, n, at)
			}
			all, lent = append(all, span{at, at + uintptr(4*cap(v))}), append(lent, v)
		}
		slices.SortFunc(all, func(a, b span) int {
			if a.from < b.from {
				return -1
			}
			return 1
		})
		for i := range all[1:] {
			if all[i].end > all[i+1].from {
				t.Fatalf("round %d: buffers overlap: %#x to %#x and from %#x on", round, all[i].from, all[i].end, all[i+1].from)
			}
		}
		for _, v := range lent {
			list.put(v)
		}
	}
}

// What is left of a page when a buffer does not fit any more serves smaller ones.
func TestScratchUsesWhatIsLeftOfAPage(t *testing.T) {
	const quarter = hugePage / 4 / 4
	page := func(v []float32) uintptr { return uintptr(unsafe.Pointer(&v[0])) &^ (hugePage - 1) }
	var list scratchList
	first := list.get(quarter)
	list.get(quarter)
	list.get(quarter)
	if other := page(list.get(2 * quarter)); other == page(first) {
		t.Fatal("half a page fits into a quarter")
	}
	if last := page(list.get(quarter)); last != page(first) {
		t.Errorf("the last quarter of the page at %#x is not used: a buffer lies in %#x", page(first), last)
	}
}
