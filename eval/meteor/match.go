package meteor

// A text is a caption as the matchers see it.
type text struct {
	words []int32 // numbers in the vocabulary
	hits  []hit   // phrases of the table that occur in it, by place, then by length
}

// A match pairs words of the reference with words of the candidate.
type match struct {
	ref, refLen int32
	hyp, hypLen int32
	module      int32 // 0 exact, 1 stem, 2 synonym, 3 paraphrase
}

func (m *match) distance() int64 { return int64(max(m.ref-m.hyp, m.hyp-m.ref)) }

// A matcher finds every match of two texts. It belongs to one goroutine.
type matcher struct {
	words    []word
	table    *table
	hyp, ref *text

	found    []match // in the order the modules find them
	matches  []match // by first reference word, else in that order
	at       []int32 // reference word → its first match; one more than there are words
	hypCover []int32 // candidate word → how many matches cover it
	refCover []int32
	place    index // the hits of the other side, by phrase
}

// match fills matches, at and the covers.
func (m *matcher) match(hyp, ref *text) {
	m.hyp, m.ref = hyp, ref
	m.found = m.found[:0]
	m.exact()
	if !m.equal() {
		m.stems()
		m.synonyms()
		m.paraphrases()
	}
	m.group()
}

// equal reports whether the texts are the same word for word.
func (m *matcher) equal() bool {
	if len(m.hyp.words) != len(m.ref.words) {
		return false
	}
	for i, w := range m.hyp.words {
		if m.words[w].key != m.words[m.ref.words[i]].key {
			return false
		}
	}
	return true
}

func (m *matcher) exact() {
	for j, r := range m.ref.words {
		key := m.words[r].key
		for i, h := range m.hyp.words {
			if m.words[h].key == key {
				m.word(i, j, 0)
			}
		}
	}
}

func (m *matcher) stems() {
	for j, r := range m.ref.words {
		ref := &m.words[r]
		for i, h := range m.hyp.words {
			if hyp := &m.words[h]; hyp.stem == ref.stem && hyp.key != ref.key {
				m.word(i, j, 1)
			}
		}
	}
}

func (m *matcher) synonyms() {
	for j, r := range m.ref.words {
		ref := &m.words[r]
		if len(ref.synsets) == 0 {
			continue
		}
		for i, h := range m.hyp.words {
			if hyp := &m.words[h]; hyp.key != ref.key && sharesSynset(hyp.synsets, ref.synsets) {
				m.word(i, j, 2)
			}
		}
	}
}

// word adds a match of single words.
func (m *matcher) word(hyp, ref int, module int32) {
	m.found = append(m.found, match{int32(ref), 1, int32(hyp), 1, module})
}

// paraphrases adds the matches of phrases: first those whose phrase stands in the reference and whose paraphrase stands in the
// candidate, then the other way round. A pair the table holds both ways is found twice, as in METEOR.
func (m *matcher) paraphrases() {
	m.table.pairs(&m.place, m.ref.hits, m.hyp.hits, func(r, h *hit) {
		m.found = append(m.found, match{r.at, r.length, h.at, h.length, 3})
	})
	m.table.pairs(&m.place, m.hyp.hits, m.ref.hits, func(h, r *hit) {
		m.found = append(m.found, match{r.at, r.length, h.at, h.length, 3})
	})
}

// group sorts the matches by reference word and counts the covers.
func (m *matcher) group() {
	m.at = zeroed(m.at, len(m.ref.words)+1)
	m.hypCover, m.refCover = zeroed(m.hypCover, len(m.hyp.words)), zeroed(m.refCover, len(m.ref.words))
	for i := range m.found {
		f := &m.found[i]
		m.at[f.ref+1]++
		for k := range f.refLen {
			m.refCover[f.ref+k]++
		}
		for k := range f.hypLen {
			m.hypCover[f.hyp+k]++
		}
	}
	for j := range m.ref.words {
		m.at[j+1] += m.at[j]
	}
	m.matches = zeroed(m.matches, len(m.found))
	for i := range m.found { // the place of a word's next match; afterwards each holds where the word's matches end
		to := &m.at[m.found[i].ref]
		m.matches[*to] = m.found[i]
		*to++
	}
	copy(m.at[1:], m.at)
	m.at[0] = 0
}
