package meteor

import "slices"

// beamWidth is how many partial alignments are kept at each word of the reference.
const beamWidth = 40

// A path is a partial alignment: what has been decided for the reference's words before idx.
type path struct {
	matched  int32 // weighted words matched, both sides
	chunks   int32
	distance int32
	idx      int32 // the first reference word not decided
	lastEnd  int32 // where the open chunk ends in the candidate, -1 if none is open
	chosen   int32 // index into chain of the last match chosen, -1 if none
}

// better orders paths: more words, then fewer chunks, then less distance.
func better(a, b *path) int {
	switch {
	case a.matched != b.matched:
		return int(b.matched) - int(a.matched)
	case a.chunks != b.chunks:
		return int(a.chunks) - int(b.chunks)
	}
	return int(a.distance) - int(b.distance)
}

// A beam holds the paths of one step and the candidate's words each has used, width bits words a path.
type beam struct {
	paths []path
	used  []uint64
}

func (b *beam) reset() { b.paths, b.used = b.paths[:0], b.used[:0] }

func (b *beam) add(p path, used []uint64) {
	b.paths = append(b.paths, p)
	b.used = append(b.used, used...)
}

// A link is a match on a path and the link before it.
type link struct{ match, before int32 }

// An aligner finds the alignment of two texts from all their matches. It belongs to one goroutine.
type aligner struct {
	matcher
	now, next beam
	order     []int32
	chain     []link
	fixed     []int32 // reference word → 1 + the fixed match that starts there
	inFixed   []bool  // reference word is part of a fixed match
	start     []uint64
	best      []int32 // reference word → 1 + the match of the final alignment that starts there
}

// align fills best from the matches of the matcher.
//
// A match that is the only one at its first reference word, and whose words no other match covers, is fixed. The rest is a beam search
// over the reference's words, left to right; at each a path takes one of the matches that start there or none.
func (a *aligner) align() {
	n, m := len(a.hyp.words), len(a.ref.words)
	width := (n + 63) / 64
	a.fixed, a.inFixed, a.best = zeroed(a.fixed, m), zeroed(a.inFixed, m), zeroed(a.best, m)
	a.start = zeroed(a.start, width)
	a.chain = a.chain[:0]
	a.fix()
	a.next.reset()
	a.next.add(path{lastEnd: -1, chosen: -1}, a.start)
	for at := range m + 1 {
		a.now, a.next = a.next, a.now
		a.next.reset()
		a.sort()
		for _, k := range a.order[:min(beamWidth, len(a.order))] {
			a.advance(a.now.paths[k], a.now.used[int(k)*width:(int(k)+1)*width], int32(at), at == m)
		}
		if len(a.next.paths) == 0 {
			k := a.order[0]
			a.next.add(a.now.paths[k], a.now.used[int(k)*width:(int(k)+1)*width])
		}
	}
	final := &a.next.paths[0]
	for i := range a.next.paths {
		if p := &a.next.paths[i]; better(p, final) < 0 {
			final = p
		}
	}
	copy(a.best, a.fixed)
	for k := final.chosen; k >= 0; k = a.chain[k].before {
		id := a.chain[k].match
		a.best[a.matches[id].ref] = id + 1
	}
}

// fix finds the fixed matches.
func (a *aligner) fix() {
	for j := range a.ref.words {
		if a.at[j+1]-a.at[j] != 1 {
			continue
		}
		id := a.at[j]
		m := &a.matches[id]
		alone := true
		for k := range m.refLen {
			alone = alone && a.refCover[m.ref+k] == 1
		}
		for k := range m.hypLen {
			alone = alone && a.hypCover[m.hyp+k] == 1
		}
		if !alone {
			continue
		}
		a.fixed[j] = id + 1
		for k := range m.refLen {
			a.inFixed[m.ref+k] = true
		}
		mark(a.start, m.hyp, m.hypLen)
	}
}

// sort fills order with the numbers of the current paths, best first, equals as they stand.
func (a *aligner) sort() {
	a.order = a.order[:0]
	for i := range a.now.paths {
		a.order = append(a.order, int32(i))
	}
	if len(a.order) > 1 {
		slices.SortStableFunc(a.order, func(x, y int32) int { return better(&a.now.paths[x], &a.now.paths[y]) })
	}
}

// advance adds to the next beam what path p can become at the reference word at; end is behind the last word.
func (a *aligner) advance(p path, used []uint64, at int32, end bool) {
	switch {
	case end:
		if p.lastEnd >= 0 {
			p.chunks++
		}
		a.next.add(p, used)
		return
	case at < p.idx: // inside a match
		a.next.add(p, used)
		return
	case a.inFixed[at]:
		if id := a.fixed[at]; id > 0 {
			m := &a.matches[id-1]
			p.take(m)
			p.distance += m.distance()
			a.next.add(p, used)
		}
		return
	}
	for id := a.at[at]; id < a.at[at+1]; id++ {
		m := &a.matches[id]
		if a.taken(used, m) {
			continue
		}
		q := p
		q.take(m)
		a.chain = append(a.chain, link{id, p.chosen})
		q.chosen = int32(len(a.chain)) - 1
		a.next.add(q, used)
		mark(a.next.used[len(a.next.used)-len(used):], m.hyp, m.hypLen)
		p.distance += m.distance() // to the path it came from, as METEOR has it, which later ones and the one that skips inherit
	}
	if p.lastEnd >= 0 {
		p.chunks++
		p.lastEnd = -1
	}
	p.idx++
	a.next.add(p, used)
}

// take counts a match. In the search an exact match weighs its words and any other half of them, rounded down to whole words.
func (p *path) take(m *match) {
	if m.module == 0 {
		p.matched += m.hypLen + m.refLen
	} else {
		p.matched += m.hypLen/2 + m.refLen/2
	}
	if p.lastEnd >= 0 && m.hyp != p.lastEnd {
		p.chunks++
	}
	p.idx = m.ref + m.refLen
	p.lastEnd = m.hyp + m.hypLen
}

// taken reports whether a word of m is in use on a path.
func (a *aligner) taken(used []uint64, m *match) bool {
	for k := m.hyp; k < m.hyp+m.hypLen; k++ {
		if used[k/64]>>(k%64)&1 != 0 {
			return true
		}
	}
	for k := m.ref; k < m.ref+m.refLen; k++ {
		if a.inFixed[k] {
			return true
		}
	}
	return false
}

// mark sets n bits from the first.
func mark(used []uint64, first, n int32) {
	for k := first; k < first+n; k++ {
		used[k/64] |= 1 << (k % 64)
	}
}

// zeroed returns n zero elements, in s where they fit.
func zeroed[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/2)
	}
	s = s[:n]
	clear(s)
	return s
}

// stats counts the final alignment.
func (a *aligner) stats() Stats {
	s := Stats{Candidate: a.hyp.side(a.words), Reference: a.ref.side(a.words)}
	lastEnd := int32(-1)
	for j := int32(0); j < int32(len(a.ref.words)); {
		id := a.best[j]
		if id == 0 {
			if lastEnd >= 0 {
				s.Chunks++
			}
			lastEnd = -1
			j++
			continue
		}
		m := &a.matches[id-1]
		if lastEnd >= 0 && m.hyp != lastEnd {
			s.Chunks++
		}
		s.Candidate.match(a.words, a.hyp.words[m.hyp:m.hyp+m.hypLen], m.module)
		s.Reference.match(a.words, a.ref.words[m.ref:m.ref+m.refLen], m.module)
		j = m.ref + m.refLen
		lastEnd = m.hyp + m.hypLen
	}
	if lastEnd >= 0 {
		s.Chunks++
	}
	return s
}

// side counts a text's words.
func (t *text) side(words []word) Side {
	s := Side{Words: len(t.words)}
	for _, w := range t.words {
		if words[w].function {
			s.Function++
		}
	}
	return s
}

// match counts matched words.
func (s *Side) match(words []word, matched []int32, module int32) {
	for _, w := range matched {
		if words[w].function {
			s.FunctionMatched[module]++
		} else {
			s.ContentMatched[module]++
		}
	}
}
