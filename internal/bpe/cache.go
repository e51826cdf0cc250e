package bpe

import (
	"hash/maphash"
	"sync/atomic"
)

const (
	cacheSlots   = 1 << 15
	longestCache = 48 // bytes; longer words are rare and would make the bound on memory loose
)

// Cache remembers the tokens of words met before. It is direct-mapped: a word has one slot,
// and the newcomer takes it, so the memory is bounded (about 4 MB when full) and readers need
// no lock. The zero value is empty and ready.
type Cache struct {
	slots [cacheSlots]atomic.Pointer[entry]
}

type entry struct {
	word string
	ids  []int32
}

var seed = maphash.MakeSeed()

// Get appends the tokens of word to dst and says whether it knew them.
func (c *Cache) Get(dst []int32, word string) ([]int32, bool) {
	if len(word) > longestCache {
		return dst, false
	}
	e := c.slots[maphash.String(seed, word)%cacheSlots].Load()
	if e == nil || e.word != word {
		return dst, false
	}
	return append(dst, e.ids...), true
}

// Put remembers that word becomes ids; it copies both.
func (c *Cache) Put(word string, ids []int32) {
	if len(word) > longestCache {
		return
	}
	e := &entry{word: string([]byte(word)), ids: append(make([]int32, 0, len(ids)), ids...)}
	c.slots[maphash.String(seed, word)%cacheSlots].Store(e)
}
