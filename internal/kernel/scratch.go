package kernel

import (
	"math/bits"
	"unsafe"
)

// scratch lends buffers to kernels. It is not a sync.Pool because that forgets at every garbage
// collection, and a steady state allocates nothing. What it holds is what was in use at once.
var scratch scratchList

const (
	cacheLine    = 64
	scratchLeast = 10 // buffers have at least 2^scratchLeast elements

	hugePage = 2 << 20 // bytes; where the system's large pages have another size, fewer of them fit
)

// scratchList keeps free buffers by the logarithm of their length.
type scratchList struct {
	mu   spinLock
	free [48][][]float32
	slab []float32 // what is left of a large page
}

func scratchClass(n int) int { return max(bits.Len(uint(max(n, 1)-1)), scratchLeast) }

// get lends a buffer of n elements that begins on a cache line. Its content is arbitrary.
func (s *scratchList) get(n int) []float32 {
	class := scratchClass(n)
	s.mu.Lock()
	v := s.take(class)
	s.mu.Unlock()
	if v == nil {
		v = s.grow(class)
	}
	return v[:n]
}

// take is a buffer that is there, or nil.
func (s *scratchList) take(class int) (v []float32) {
	if list := s.free[class]; len(list) > 0 {
		v, s.free[class] = list[len(list)-1], list[:len(list)-1]
	} else if n := 1 << class; n <= len(s.slab) {
		v, s.slab = s.slab[:n:n], s.slab[n:]
	}
	return v
}

// grow is a new buffer in large pages: in small ones, which lie anywhere in memory, what a product keeps in a cache of its size pushes
// parts of itself out. Small buffers share a page.
func (s *scratchList) grow(class int) []float32 {
	n := 1 << class
	if n > hugePage/4/2 {
		return wholePages(n)
	}
	page := wholePages(hugePage / 4)
	s.mu.Lock()
	for len(s.slab) >= 1<<scratchLeast { // what is left of the last serves smaller ones
		class := bits.Len(uint(len(s.slab))) - 1
		s.free[class] = append(s.free[class], s.slab[:1<<class:1<<class])
		s.slab = s.slab[1<<class:]
	}
	s.slab = page[n:]
	s.mu.Unlock()
	return page[:n:n]
}

// wholePages is a zeroed slice of length and capacity n that begins on a large page, in such where the system has them.
func wholePages(n int) []float32 {
	v := make([]float32, n+hugePage/4)
	at := int(-uintptr(unsafe.Pointer(unsafe.SliceData(v)))%hugePage) / 4
	v = v[at : at+n : at+n]
	LargePages(v)
	return v
}

// put takes a buffer back that get lent.
func (s *scratchList) put(v []float32) {
	class := scratchClass(cap(v))
	s.mu.Lock()
	s.free[class] = append(s.free[class], v[:cap(v)])
	s.mu.Unlock()
}

// alignedFloats is a zeroed slice of length and capacity n that begins on a cache line.
func alignedFloats(n int) []float32 {
	v := make([]float32, n+cacheLine/4)
	at := int(-uintptr(unsafe.Pointer(unsafe.SliceData(v)))%cacheLine) / 4
	return v[at : at+n : at+n]
}

// asU16 is v's memory as 16-bit words.
func asU16(v []float32) []uint16 {
	return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(v))), 2*len(v))
}

// pairsAsFloats is the reverse, for v that began as such.
func pairsAsFloats(v []uint16) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(v))), len(v)/2)
}

// freeList lends structs; whoever puts one back first clears what it should not hold on to.
type freeList[T any] struct {
	mu   spinLock
	free []*T
}

func (l *freeList[T]) get() *T {
	l.mu.Lock()
	if n := len(l.free); n > 0 {
		x := l.free[n-1]
		l.free = l.free[:n-1]
		l.mu.Unlock()
		return x
	}
	l.mu.Unlock()
	return new(T)
}

func (l *freeList[T]) put(x *T) {
	l.mu.Lock()
	l.free = append(l.free, x)
	l.mu.Unlock()
}
