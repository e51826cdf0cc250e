package meteor

// A table holds the paraphrases that may occur in a run. Its phrases are the nodes of a tree of words, numbered as they were added.
type table struct {
	child   map[uint64]int32 // node and word → node; node 0 is the empty phrase
	phrase  []bool           // node → stands in the table as a phrase or a paraphrase
	entries [][2]int32       // phrase and paraphrase, in the file's order
	first   []int32          // node → its first paraphrase in other; one more than there are nodes
	other   []int32          // the paraphrases, by phrase, in the file's order
}

func newTable() *table { return &table{child: map[uint64]int32{}, phrase: []bool{false}} }

func edge(node, word int32) uint64 { return uint64(uint32(node))<<32 | uint64(uint32(word)) }

// node numbers a phrase.
func (t *table) node(words []int32) int32 {
	node := int32(0)
	for _, w := range words {
		next, ok := t.child[edge(node, w)]
		if !ok {
			next = int32(len(t.phrase))
			t.child[edge(node, w)] = next
			t.phrase = append(t.phrase, false)
		}
		node = next
	}
	t.phrase[node] = true
	return node
}

// add adds an entry of the file.
func (t *table) add(phrase, paraphrase []int32) {
	t.entries = append(t.entries, [2]int32{t.node(phrase), t.node(paraphrase)})
}

// finish makes the lists of paraphrases; the table can be read by many goroutines then.
func (t *table) finish() {
	t.first = make([]int32, len(t.phrase)+1)
	for _, e := range t.entries {
		t.first[e[0]+1]++
	}
	for i := range t.phrase {
		t.first[i+1] += t.first[i]
	}
	t.other = make([]int32, len(t.entries))
	to := append([]int32(nil), t.first...)
	for _, e := range t.entries {
		t.other[to[e[0]]] = e[1]
		to[e[0]]++
	}
	t.entries = nil
}

// A hit is a phrase of the table that stands in a text.
type hit struct{ at, length, node int32 }

// hits finds the table's phrases in a text.
func (t *table) hits(words []int32) []hit {
	var hits []hit
	for i := range words {
		node := int32(0)
		for k := i; k < len(words); k++ {
			next, ok := t.child[edge(node, words[k])]
			if !ok {
				break
			}
			node = next
			if t.phrase[node] {
				hits = append(hits, hit{int32(i), int32(k - i + 1), node})
			}
		}
	}
	return hits
}

// An index finds the hits of a text by phrase.
type index struct {
	head []int32 // node → 1 + its first hit, all 0 between uses
	next []int32 // hit → 1 + the next of the same phrase
}

// pairs calls found with each hit whose paraphrase is a hit of the others, by place, length, table order and the others' place.
func (t *table) pairs(x *index, hits, others []hit, found func(hit, other *hit)) {
	if len(hits) == 0 || len(others) == 0 {
		return
	}
	if len(x.head) == 0 {
		x.head = make([]int32, len(t.phrase))
	}
	x.next = zeroed(x.next, len(others))
	for k := len(others) - 1; k >= 0; k-- {
		head := &x.head[others[k].node]
		x.next[k] = *head
		*head = int32(k) + 1
	}
	for i := range hits {
		h := &hits[i]
		for _, p := range t.other[t.first[h.node]:t.first[h.node+1]] {
			for k := x.head[p]; k > 0; k = x.next[k-1] {
				found(h, &others[k-1])
			}
		}
	}
	for k := range others {
		x.head[others[k].node] = 0
	}
}
