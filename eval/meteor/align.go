package meteor

// beamWidth is how many partial alignments are kept at each word of the reference.
const beamWidth = 40

// A path is a partial alignment: what has been decided for the reference's words before idx.
type path struct {
	cost    int64 // what paths are ordered by, least first
	idx     int32 // the first reference word not decided
	lastEnd int32 // where the open chunk ends in the candidate, -1 if none is open
	chosen  int32 // index into chain of the last match chosen, -1 if none
}

// The parts of a cost, most important first: each weighted word matched takes aWord off, each chunk adds aChunk, each word of distance
// adds 1. Texts of MaxWords words overflow none of them.
const (
	aWord  = 1 << 51
	aChunk = 1 << 40
)

// A beam holds the best paths of one step in order, equals as they came, and the candidate's words each has used.
type beam struct {
	paths [beamWidth]path
	order [beamWidth]int8 // places in paths, least cost first
	n     int
	width int      // uint64s of used words a path
	used  []uint64 // [beamWidth, width]
}

func (b *beam) reset(width int) {
	b.n, b.width = 0, width
	if len(b.used) < beamWidth*width {
		b.used = make([]uint64, beamWidth*width)
	}
}

// bits are the candidate's words that a place's path has used.
func (b *beam) bits(place int8) []uint64 { return b.used[int(place)*b.width : (int(place)+1)*b.width] }

// wants reports whether a path of some cost is among the best so far.
func (b *beam) wants(cost int64) bool {
	return b.n < beamWidth || cost < b.paths[b.order[beamWidth-1]].cost
}

// add takes in a path that [beam.wants] and returns its used words, a copy of used.
func (b *beam) add(p *path, used []uint64) []uint64 {
	place := int8(b.n)
	if b.n == beamWidth {
		place = b.order[beamWidth-1]
	} else {
		b.n++
	}
	k := b.n - 1
	for ; k > 0 && b.paths[b.order[k-1]].cost > p.cost; k-- {
		b.order[k] = b.order[k-1]
	}
	b.order[k] = place
	b.paths[place] = *p
	bits := b.bits(place)
	copy(bits, used)
	return bits
}

// offer adds a path if the beam wants it.
func (b *beam) offer(p *path, used []uint64) {
	if b.wants(p.cost) {
		b.add(p, used)
	}
}

// A link is a match on a path and the link before it.
type link struct{ match, before int32 }

// An aligner finds the alignment of two texts from all their matches. It belongs to one goroutine.
type aligner struct {
	matcher
	now, next *beam
	chain     []link
	fixed     []int32 // reference word → 1 + the fixed match that starts there
	inFixed   []bool  // reference word is part of a fixed match
	start     []uint64
	best      []int32 // reference word → 1 + the match of the final alignment that starts there
}

func newAligner(words []word, t *table) *aligner {
	return &aligner{matcher: matcher{words: words, table: t}, now: new(beam), next: new(beam)}
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
	a.next.reset(width)
	a.next.add(&path{lastEnd: -1, chosen: -1}, a.start)
	for at := range int32(m) {
		a.now, a.next = a.next, a.now
		a.next.reset(width)
		for _, place := range a.now.order[:a.now.n] {
			a.advance(a.now.paths[place], a.now.bits(place), at)
		}
		if a.next.n == 0 { // every path died; the best goes on as it was
			place := a.now.order[0]
			a.next.add(&a.now.paths[place], a.now.bits(place))
		}
	}
	final := &a.next.paths[a.next.order[0]]
	for _, place := range a.next.order[1:a.next.n] {
		if p := &a.next.paths[place]; p.closed() < final.closed() {
			final = p
		}
	}
	copy(a.best, a.fixed)
	for k := final.chosen; k >= 0; k = a.chain[k].before {
		id := a.chain[k].match
		a.best[a.matches[id].ref] = id + 1
	}
}

// closed is a path's cost with its open chunk counted.
func (p *path) closed() int64 {
	if p.lastEnd >= 0 {
		return p.cost + aChunk
	}
	return p.cost
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

// advance offers to the next beam what path p can become at the reference word at.
func (a *aligner) advance(p path, used []uint64, at int32) {
	if at < p.idx { // inside a match
		a.next.offer(&p, used)
		return
	}
	if a.inFixed[at] {
		if id := a.fixed[at]; id > 0 {
			m := &a.matches[id-1]
			p.take(m)
			p.cost += m.distance()
			a.next.offer(&p, used)
		}
		return
	}
	for id := a.at[at]; id < a.at[at+1]; id++ {
		m := &a.matches[id]
		if a.taken(used, m) {
			continue
		}
		q := p
		if q.take(m); a.next.wants(q.cost) {
			a.chain = append(a.chain, link{id, p.chosen})
			q.chosen = int32(len(a.chain)) - 1
			mark(a.next.add(&q, used), m.hyp, m.hypLen)
		}
		p.cost += m.distance() // of the path it came from, as METEOR has it, which later ones and the one that skips inherit
	}
	if p.lastEnd >= 0 {
		p.cost += aChunk
		p.lastEnd = -1
	}
	p.idx++
	a.next.offer(&p, used)
}

// take counts a match. In the search an exact match weighs its words and any other half of them, rounded down to whole words.
func (p *path) take(m *match) {
	words := m.hypLen + m.refLen
	if m.module != 0 {
		words = m.hypLen/2 + m.refLen/2
	}
	p.cost -= int64(words) * aWord
	if p.lastEnd >= 0 && m.hyp != p.lastEnd {
		p.cost += aChunk
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
