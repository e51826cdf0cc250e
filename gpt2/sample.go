package gpt2

import (
	"math"
	"math/rand/v2"
)

// split turns the one beam of a prompt that was just read into n samples with random numbers of their own. They come from the
// seed, the prompt and the sample's number, so a caption does not depend on what else is being written.
func (s *search) split(o *Options, pool *rowPool) {
	key := o.Seed ^ s.prompt.hash()
	s.beams = s.beams[:o.N]
	for i := 1; i < o.N; i++ {
		s.beams[i].set(&s.beams[0])
		pool.share(s.beams[i].rows)
	}
	for len(s.heads) < o.N {
		s.heads = append(s.heads, s.heads[0])
	}
	for i := range s.beams {
		s.beams[i].random = *rand.NewPCG(key, uint64(i))
	}
}

// hash is FNV-1a over the prompt's numbers.
func (p *Prompt) hash() uint64 {
	h := uint64(0xcbf29ce484222325)
	add := func(x uint32) { h = (h ^ uint64(x)) * 0x100000001b3 }
	for _, x := range p.Prefix {
		add(math.Float32bits(x))
	}
	for _, x := range p.Tokens {
		add(uint32(x))
	}
	return h
}

// sample writes one more token of every unfinished caption. row reads the logits of a head.
func (s *search) sample(o *Options, d *dice, row func(head int) ([]float64, error)) error {
	for i := range s.beams {
		b := &s.beams[i]
		if b.done {
			continue
		}
		logits, err := row(s.heads[i])
		if err != nil {
			return err
		}
		u := float64(b.random.Uint64()>>11) / (1 << 53)
		token, logp := d.throw(logits, o, u)
		b.write(token, logp, o.Stop)
	}
	s.steps++
	return nil
}

// dice draws words. It keeps its memory.
type dice struct {
	p    []float64
	best []float64 // the greatest of p
	heap []int32   // words, the likeliest on top
}

// throw draws a word from softmax(logits/temperature), cut to the likeliest TopK and then to the fewest that have TopP
// of what is left, by a number u in [0, 1). It returns the word's log-probability before the cuts.
func (d *dice) throw(logits []float64, o *Options, u float64) (int32, float64) {
	top := logits[0]
	for _, x := range logits {
		top = max(top, x)
	}
	d.p = d.p[:0]
	total := 0.0
	for _, x := range logits {
		p := math.Exp((x - top) / o.Temperature)
		d.p = append(d.p, p)
		total += p
	}
	token := 0
	if most := o.TopK; (most > 0 && most < len(logits)) || o.TopP < 1 {
		token = d.cut(most, o.TopP, total, u)
	} else {
		token = walk(u*total, len(d.p), func(i int) float64 { return d.p[i] })
	}
	return int32(token), (logits[token]-top)/o.Temperature - math.Log(total)
}

// walk is the first place at which the sum of p passes u, or the last that has any.
func walk(u float64, n int, p func(i int) float64) int {
	last := 0
	for i := range n {
		x := p(i)
		if x > 0 {
			last = i
		}
		if u -= x; u < 0 {
			return i
		}
	}
	return last
}

// cut draws among the likeliest words. They come off a heap in order, so that only those that count are sorted: the sorted
// ones gather at its end. Of a vocabulary few can count, and only they are put on the heap.
func (d *dice) cut(most int, share, total, u float64) int {
	least := (1 - share) * total / float64(2*len(d.p)) // all words below have half of what TopP leaves out
	if most > 0 && most < len(d.p) {
		least = d.nth(most)
	}
	d.heap = d.heap[:0]
	for i, p := range d.p {
		if !(p < least) { // a NaN stays
			d.heap = append(d.heap, int32(i))
		}
	}
	n := len(d.heap)
	for i := n/2 - 1; i >= 0; i-- {
		d.down(i, n)
	}
	mass, taken := 0.0, 0
	if most > 0 && most < len(d.p) { // TopP's share is of the mass of TopK
		for ; taken < most; taken++ {
			mass += d.pop(n - taken)
		}
		total = mass
		mass, most = 0, 0
		for most < taken && (most == 0 || mass < share*total) {
			mass += d.p[d.heap[n-1-most]]
			most++
		}
		taken = most
	} else {
		for taken < n && (taken == 0 || mass < share*total) {
			mass += d.pop(n - taken)
			taken++
		}
	}
	at := walk(u*mass, taken, func(i int) float64 { return d.p[d.heap[n-1-i]] })
	return int(d.heap[n-1-at])
}

// nth is the n-th greatest probability. The greatest so far lie in a heap, the least of them on top.
func (d *dice) nth(n int) float64 {
	d.best = append(d.best[:0], d.p[:n]...)
	for i := n/2 - 1; i >= 0; i-- {
		sink(d.best, i)
	}
	for _, p := range d.p[n:] {
		if p > d.best[0] {
			d.best[0] = p
			sink(d.best, 0)
		}
	}
	return d.best[0]
}

// sink restores a heap with the least on top below entry i.
func sink(h []float64, i int) {
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(h); c++ {
			if h[c] < h[least] {
				least = c
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}

// pop moves the likeliest of the first n words of the heap to their end.
func (d *dice) pop(n int) float64 {
	d.heap[0], d.heap[n-1] = d.heap[n-1], d.heap[0]
	d.down(0, n-1)
	return d.p[d.heap[n-1]]
}

// above tells whether word a comes before word b.
func (d *dice) above(a, b int32) bool { return d.p[a] > d.p[b] || d.p[a] == d.p[b] && a < b }

// down restores the heap of n words below entry i.
func (d *dice) down(i, n int) {
	for {
		best := i
		for c := 2*i + 1; c <= 2*i+2 && c < n; c++ {
			if d.above(d.heap[c], d.heap[best]) {
				best = c
			}
		}
		if best == i {
			return
		}
		d.heap[i], d.heap[best] = d.heap[best], d.heap[i]
		i = best
	}
}
