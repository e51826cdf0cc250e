package ptxsim

import (
	"fmt"
	"slices"
)

// Addresses of global memory begin here, so that no small number is one. The generic addresses of shared memory are
// those from sharedBase on.
const (
	globalBase = 0x7f0000000000
	sharedBase = 0x1000000
	gap        = 4096 // between allocations: nothing there may be touched
)

// allocation is a stretch of global memory and, by its halves of words, the smallest that kernels write, who wrote it.
type allocation struct {
	at     uint64
	data   []byte
	known  []bool   // whether the half was ever written
	writer []uint64 // launch<<40 | block<<12 | thread of the last store
}

// memory is the global memory of a device.
type memory struct {
	allocs []*allocation // by address
	next   uint64
	limit  int
	used   int
	last   *allocation
}

func (m *memory) alloc(n int) (uint64, error) {
	if m.used+n > m.limit {
		return 0, fmt.Errorf("out of memory: %d bytes wanted, %d of %d free", n, m.limit-m.used, m.limit)
	}
	if m.next == 0 {
		m.next = globalBase
	}
	halves := (n + 3) / 4 * 2
	a := &allocation{at: m.next, data: make([]byte, n), known: make([]bool, halves), writer: make([]uint64, halves)}
	m.next += uint64(n+gap+255) / 256 * 256
	m.used += n
	m.allocs = append(m.allocs, a)
	return a.at, nil
}

func (m *memory) free(at uint64) error {
	i, ok := slices.BinarySearchFunc(m.allocs, at, func(a *allocation, at uint64) int { return int(int64(a.at) - int64(at)) })
	if !ok {
		return fmt.Errorf("free of %#x, which is no allocation", at)
	}
	m.used -= len(m.allocs[i].data)
	m.allocs = slices.Delete(m.allocs, i, i+1)
	m.last = nil
	return nil
}

// find is the allocation that holds n bytes at an address.
func (m *memory) find(at uint64, n int) (*allocation, int, error) {
	a := m.last
	if a == nil || at < a.at || at-a.at+uint64(n) > uint64(len(a.data)) {
		i, ok := slices.BinarySearchFunc(m.allocs, at, func(a *allocation, at uint64) int { return int(int64(a.at) - int64(at)) })
		if !ok {
			i--
		}
		if i < 0 || at-m.allocs[i].at+uint64(n) > uint64(len(m.allocs[i].data)) {
			if i >= 0 && at-m.allocs[i].at < uint64(len(m.allocs[i].data)+gap) {
				return nil, 0, fmt.Errorf("%d bytes at offset %d of an allocation of %d", n, at-m.allocs[i].at, len(m.allocs[i].data))
			}
			return nil, 0, fmt.Errorf("%d bytes at %#x, where nothing is allocated", n, at)
		}
		a = m.allocs[i]
		m.last = a
	}
	return a, int(at - a.at), nil
}

// word is what is known of four bytes of shared memory.
type word struct {
	writer, reader   int16 // thread, -1 for none; reader -2 for several
	written, read    int32 // the block's barriers when it happened
	writtenW, readW  int32 // the warp's own
	known, inTransit bool  // in transit: an asynchronous copy is under way to it
}

func access(at uint64, n int) error {
	if at%uint64(n) != 0 {
		return fmt.Errorf("address %#x is off its alignment of %d", at, n)
	}
	return nil
}

// load reads n bytes of global memory for a thread.
func (b *block) load(thread int, at uint64, n int) ([]byte, error) {
	if err := access(at, n); err != nil {
		return nil, err
	}
	a, off, err := b.dev.mem.find(at, n)
	if err != nil {
		return nil, err
	}
	me := b.id()
	for i := off / 2; i <= (off+n-1)/2; i++ {
		if !a.known[i] {
			return nil, fmt.Errorf("reads word %d of an allocation of %d bytes, which was never written", i/2, len(a.data))
		}
		if w := a.writer[i]; w>>40 == b.dev.launch && w>>12 != me>>12 {
			return nil, fmt.Errorf("reads word %d of an allocation of %d bytes, which another block of this launch wrote", i/2, len(a.data))
		}
	}
	return a.data[off : off+n], nil
}

// id is the launch and block as allocation.writer has them.
func (b *block) id() uint64 { return b.dev.launch<<40 | uint64(b.number)<<12 }

// store is where a thread writes n bytes of global memory.
func (b *block) store(thread int, at uint64, n int, atomic bool) ([]byte, error) {
	if err := access(at, n); err != nil {
		return nil, err
	}
	a, off, err := b.dev.mem.find(at, n)
	if err != nil {
		return nil, err
	}
	me := b.id() | uint64(thread)
	for i := off / 2; i <= (off+n-1)/2; i++ {
		if w := a.writer[i]; w>>40 == b.dev.launch && w != me && !atomic && w>>12 != me>>12 {
			return nil, fmt.Errorf("writes word %d of an allocation of %d bytes, which another block of this launch wrote", i/2, len(a.data))
		}
		a.known[i], a.writer[i] = true, me
	}
	return a.data[off : off+n], nil
}

// loadShared reads n bytes of shared memory for a thread of warp w.
func (w *warp) loadShared(lane int, at uint64, n int) ([]byte, error) {
	b := w.block
	if err := access(at, n); err != nil {
		return nil, err
	}
	if at+uint64(n) > uint64(len(b.shared)) {
		return nil, fmt.Errorf("reads %d bytes at %d of %d bytes of shared memory", n, at, len(b.shared))
	}
	thread := int16(w.first + lane)
	for i := at / 4; i <= (at+uint64(n)-1)/4; i++ {
		s := &b.words[i]
		switch {
		case s.inTransit:
			return nil, fmt.Errorf("reads shared word %d before the copy to it was waited for", i)
		case !s.known:
			return nil, fmt.Errorf("reads shared word %d, which was never written", i)
		case s.writer != thread && s.written == b.barriers && !(int(s.writer)/32 == int(thread)/32 && s.writtenW != w.syncs):
			return nil, fmt.Errorf("race: thread %d reads shared word %d, which thread %d wrote since the last barrier", thread, i, s.writer)
		}
		if s.read == b.barriers && s.reader != thread && s.reader != -1 && (s.readW == w.syncs || int(s.reader)/32 != int(thread)/32) {
			if s.reader/32 != thread/32 {
				s.reader = -2
			} else {
				s.reader = -1000 - thread/32 // several of this warp
			}
		} else {
			s.reader = thread
		}
		s.read, s.readW = b.barriers, w.syncs
	}
	return b.shared[at : at+uint64(n)], nil
}

// storeShared is where a thread of warp w writes n bytes of shared memory.
func (w *warp) storeShared(lane int, at uint64, n int) ([]byte, error) {
	b := w.block
	if err := access(at, n); err != nil {
		return nil, err
	}
	if at+uint64(n) > uint64(len(b.shared)) {
		return nil, fmt.Errorf("writes %d bytes at %d of %d bytes of shared memory", n, at, len(b.shared))
	}
	thread := int16(w.first + lane)
	for i := at / 4; i <= (at+uint64(n)-1)/4; i++ {
		s := &b.words[i]
		if s.inTransit {
			return nil, fmt.Errorf("writes shared word %d while a copy to it is under way", i)
		}
		if s.known && s.writer != thread && s.written == b.barriers && !(int(s.writer)/32 == int(thread)/32 && s.writtenW != w.syncs) {
			return nil, fmt.Errorf("race: threads %d and %d write shared word %d without a barrier between", s.writer, thread, i)
		}
		if s.read == b.barriers && s.reader != -1 && s.reader != thread {
			same := s.reader >= 0 && s.reader/32 == thread/32 || s.reader <= -1000 && -1000-s.reader == thread/32
			if !same || s.readW == w.syncs {
				return nil, fmt.Errorf("race: thread %d writes shared word %d, which another read since the last barrier", thread, i)
			}
		}
		s.known, s.writer, s.written, s.writtenW = true, thread, b.barriers, w.syncs
		s.reader = -1
	}
	return b.shared[at : at+uint64(n)], nil
}
