package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// attnCase is one attention with all its operands and a reference in float64.
type attnCase struct {
	name   string
	heads  int
	hd     int
	causal bool
	qLens  []int
	kLens  []int // nil: as qLens, one Seqs for both
	parent []int32
	p      float32

	scale              float32
	key                uint64
	qs, ks             Seqs
	q, k, v, out, dout Matrix
	lse                []float32
}

var attnCases = []attnCase{
	{name: "one", heads: 1, hd: 1, qLens: []int{1}},
	{name: "mapper", heads: 8, hd: 96, qLens: []int{20, 20, 80}},
	{name: "vision", heads: 3, hd: 64, qLens: []int{50, 50}},
	{name: "long", heads: 1, hd: 64, qLens: []int{257, 50}},
	{name: "longer", heads: 1, hd: 9, qLens: []int{673}},
	{name: "causal longer", heads: 1, hd: 3, causal: true, qLens: []int{1303}},
	{name: "causal", heads: 2, hd: 64, causal: true, qLens: []int{22, 0, 1, 13, 77}},
	{name: "primes", heads: 3, hd: 7, causal: true, qLens: []int{11, 13, 17, 31, 37, 113}},
	{name: "wide head", heads: 2, hd: 131, qLens: []int{29, 33}},
	{name: "parents", heads: 2, hd: 64, causal: true, qLens: []int{5, 10, 9, 12, 0, 3, 33}, parent: []int32{1, -1, 1, 1, 6, -1, -1}},
	{name: "empty parent", heads: 2, hd: 16, causal: true, qLens: []int{0, 4, 6}, parent: []int32{-1, 0, 0}},
	{name: "long parent", heads: 1, hd: 8, causal: true, qLens: []int{630, 40, 21}, parent: []int32{-1, 0, 0}},
	{name: "parents, all seen", heads: 1, hd: 24, qLens: []int{10, 9, 12}, parent: []int32{-1, 0, 0}},
	{name: "pooling", heads: 4, hd: 64, qLens: []int{1, 1, 1}, kLens: []int{50, 82, 50}},
	{name: "cross", heads: 2, hd: 17, qLens: []int{7, 0, 20, 3}, kLens: []int{50, 5, 0, 300}},
	{name: "cross causal", heads: 1, hd: 16, causal: true, qLens: []int{9, 5}, kLens: []int{4, 11}},
	{name: "dropout", heads: 2, hd: 64, causal: true, qLens: []int{22, 40}, p: 0.1},
	{name: "dropout long", heads: 1, hd: 4, qLens: []int{650}, p: 0.4},
	{name: "dropout of all", heads: 1, hd: 12, qLens: []int{7}, p: 1},
	{name: "none", heads: 2, hd: 8},
}

// init draws the operands. k, q and v are parts of one matrix where they can be.
func (c *attnCase) init() {
	rng := rand.New(rand.NewPCG(1, uint64(len(c.name))))
	c.scale, c.key = float32(1/math.Sqrt(float64(c.hd))), 12345
	starts := func(lens []int) []int32 {
		s := []int32{2} // rows that belong to no sequence lie in front, and behind
		for _, n := range lens {
			s = append(s, s[len(s)-1]+int32(n))
		}
		return s
	}
	c.qs = Seqs{starts(c.qLens), c.parent}
	c.ks = c.qs
	if c.kLens != nil {
		c.ks = Seqs{starts(c.kLens), c.parent}
	}
	dim := c.heads * c.hd
	nq, nk := int(c.qs.Starts[len(c.qLens)])+3, int(c.ks.Starts[c.ks.Len()])+3
	c.q, c.k, c.v = fenced(rng, nq, dim, false), fenced(rng, nk, dim, false), fenced(rng, nk, dim, false)
	if c.kLens == nil {
		all := fenced(rng, nq, 3*dim, false)
		for i, m := range []*Matrix{&c.q, &c.k, &c.v} {
			*m = Matrix{V: all.V[i*dim:], Rows: nq, Cols: dim, Stride: all.Stride}
		}
	}
	c.dout, c.out = fenced(rng, nq, dim, false), c.blank(nq)
	c.lse = slices.Repeat([]float32{fence}, nq*c.heads)
}

// blank is a matrix of fences.
func (c *attnCase) blank(rows int) Matrix {
	dim := c.heads * c.hd
	return Matrix{V: slices.Repeat([]float32{fence}, rows*(dim+5)), Rows: rows, Cols: dim, Stride: dim + 5}
}

// keys lists the key rows that query t of sequence s sees.
func (c *attnCase) keys(s, t int) (rows []int) {
	if p := c.ks.parent(s); p >= 0 {
		first, n := c.ks.rows(p)
		for i := range n {
			rows = append(rows, first+i)
		}
	}
	first, n := c.ks.rows(s)
	if c.causal {
		n = min(n, t+1)
	}
	for i := range n {
		rows = append(rows, first+i)
	}
	return rows
}

// attnResult is a reference: matrices as [row][column].
type attnResult struct {
	out, lse, dq, dk, dv []float64
	live, liveK          []bool // rows that belong to a sequence
}

// reference computes the attention and its gradients by definition.
func (c *attnCase) reference() attnResult {
	dim := c.heads * c.hd
	r := attnResult{live: make([]bool, c.q.Rows), liveK: make([]bool, c.k.Rows)}
	r.out, r.dq, r.lse = make([]float64, c.q.Rows*dim), make([]float64, c.q.Rows*dim), make([]float64, c.q.Rows*c.heads)
	r.dk, r.dv = make([]float64, c.k.Rows*dim), make([]float64, c.k.Rows*dim)
	for s := range c.qs.Len() {
		first, n := c.ks.rows(s)
		for i := range n {
			r.liveK[first+i] = true
		}
		first, n = c.qs.rows(s)
		for t := range n {
			r.live[first+t] = true
			for h := range c.heads {
				c.query(&r, first+t, h, c.keys(s, t))
			}
		}
	}
	return r
}

func (c *attnCase) query(r *attnResult, i, h int, keys []int) {
	at := func(m *Matrix, i, d int) float64 { return float64(m.at(i, h*c.hd+d)) }
	dim := c.heads * c.hd
	w, drop := make([]float64, len(keys)), make([]float64, len(keys))
	top, sum := math.Inf(-1), 0.0
	for n, k := range keys {
		for d := range c.hd {
			w[n] += at(&c.q, i, d) * at(&c.k, k, d)
		}
		w[n] *= float64(c.scale)
		top = max(top, w[n])
		if drop[n] = 1; c.p > 0 {
			drop[n] = 1 / (1 - float64(c.p))
			if c.p >= 1 || !DropoutKeep(c.key, AttentionElement(h, i, n), c.p) {
				drop[n] = 0
			}
		}
	}
	for _, x := range w {
		sum += math.Exp(x - top)
	}
	r.lse[i*c.heads+h] = top + math.Log(sum)
	dot := 0.0
	grad := make([]float64, len(keys))
	for n, k := range keys {
		w[n] = math.Exp(w[n]-top) / sum
		for d := range c.hd {
			r.out[i*dim+h*c.hd+d] += w[n] * drop[n] * at(&c.v, k, d)
			r.dv[k*dim+h*c.hd+d] += w[n] * drop[n] * at(&c.dout, i, d)
			grad[n] += drop[n] * at(&c.v, k, d) * at(&c.dout, i, d)
		}
		dot += w[n] * grad[n]
	}
	for n, k := range keys {
		ds := w[n] * (grad[n] - dot) * float64(c.scale)
		for d := range c.hd {
			r.dq[i*dim+h*c.hd+d] += ds * at(&c.k, k, d)
			r.dk[k*dim+h*c.hd+d] += ds * at(&c.q, i, d)
		}
	}
}

// check compares m with a reference; rows outside the sequences must be untouched.
func checkRows(t *testing.T, what string, m Matrix, want []float64, live []bool, tol float64) {
	t.Helper()
	worst := 0.0
	for i, x := range m.V {
		row, col := i/m.Stride, i%m.Stride
		if col >= m.Cols || !live[row] {
			if x != fence {
				t.Fatalf("%s: wrote outside, row %d column %d", what, row, col)
			}
			continue
		}
		w := want[row*m.Cols+col]
		if float64(x) == w { // infinities too
			continue
		}
		if diff := math.Abs(float64(x)-w) / (1 + math.Abs(w)); !(diff <= tol) {
			if !(diff <= worst) {
				worst = diff
				t.Errorf("%s [%d, %d] = %v, want %v", what, row, col, x, w)
			}
		}
	}
}

// forward and backward run the kernels.
func (c *attnCase) forward() {
	AttentionDropout(c.out, c.q, c.k, c.v, c.heads, c.scale, c.causal, c.qs, c.ks, c.lse, c.p, c.key)
}

func (c *attnCase) backward(dq, dk, dv Matrix) {
	AttentionDropoutGrad(dq, dk, dv, c.dout, c.out, c.q, c.k, c.v, c.heads, c.scale, c.causal, c.qs, c.ks, c.lse, c.p, c.key)
}

func TestAttention(t *testing.T) {
	for _, c := range attnCases {
		t.Run(c.name, func(t *testing.T) {
			c.init()
			want := c.reference()
			eachISA(t, func(t *testing.T) {
				c.out, c.lse = c.blank(c.q.Rows), slices.Repeat([]float32{fence}, len(c.lse))
				c.forward()
				checkRows(t, "out", c.out, want.out, want.live, 3e-6)
				checkRows(t, "lse", Mat(c.lse, c.q.Rows, c.heads), want.lse, want.live, 2e-6)
				for _, out := range []Matrix{c.out, {}} { // with the result, and without
					c.out = out
					dq, dk, dv := c.blank(c.q.Rows), c.blank(c.k.Rows), c.blank(c.k.Rows)
					c.backward(dq, dk, dv)
					checkRows(t, "dq", dq, want.dq, want.live, 1e-5)
					checkRows(t, "dk", dk, want.dk, want.liveK, 1e-5)
					checkRows(t, "dv", dv, want.dv, want.liveK, 1e-5)
				}
			})
		})
	}
}

// A child computes the same bits as a sequence that begins with a copy of the parent's rows.
func TestAttentionParentIsConcatenation(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		c := attnCase{heads: 2, hd: 64, causal: true, qLens: []int{10, 7, 12}, parent: []int32{-1, 0, 0}}
		c.init()
		c.forward()
		whole := attnCase{heads: 2, hd: 64, causal: true, qLens: []int{17, 22}}
		whole.init()
		rows := [][2]int{{2, 10}, {12, 7}, {2, 10}, {19, 12}} // of c, one after the other in whole
		at := 2
		for _, r := range rows {
			for i := range r[1] {
				for _, m := range [][2]*Matrix{{&whole.q, &c.q}, {&whole.k, &c.k}, {&whole.v, &c.v}} {
					copy(m[0].segment(at+i, 0, 128), m[1].segment(r[0]+i, 0, 128))
				}
			}
			at += r[1]
		}
		whole.forward()
		for i := range 12 {
			if got, want := c.out.segment(19+i, 0, 128), whole.out.segment(2+17+10+i, 0, 128); !slices.Equal(got, want) {
				t.Fatalf("row %d of the second child differs", i)
			}
		}
	})
}

// Neither the sequences beside it nor the queries behind it change what a query gets.
func TestAttentionBatchInvariant(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		c := attnCase{heads: 2, hd: 64, causal: true, qLens: []int{61, 22, 90}}
		c.init()
		c.forward()
		for n := 1; n <= 61; n++ {
			out := c.blank(c.q.Rows)
			s := Seqs{Starts: []int32{2, 2 + int32(n)}}
			Attention(out, c.q, c.k, c.v, c.heads, c.scale, true, s, s, nil)
			if got, want := out.segment(1+n, 0, 128), c.out.segment(1+n, 0, 128); !slices.Equal(got, want) {
				t.Fatalf("query %d of %d differs from the same of 61", n-1, n)
			}
		}
	})
}

// cachedCases are queries of decoding.
var cachedCases = []struct {
	heads, hd int
	lens      []int32
}{{12, 64, []int32{1, 30, 0, 77}}, {8, 96, []int32{17}}, {3, 7, []int32{3, 4, 5}}, {1, 1, []int32{1}}, {2, 131, []int32{600}}, {25, 64, []int32{1000, 999}},
	{4, 64, []int32{9, 8, 0, 7, 1, 30, 2, 3, 4, 12, 11, 10, 5}}, {2, 40, []int32{5, 6, 12}}, {1, 16, []int32{9}}}

// Attention on a cache, of float32 and of bfloat16, is that of each query on its list.
func TestAttentionCached(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, c := range cachedCases {
		const pool, stride = 1100, 1003
		dim, rows := c.heads*c.hd, len(c.lens)
		q, k, v := fenced(rng, rows, dim, false), fenced(rng, pool, dim, false), fenced(rng, pool, dim, false)
		table := make([]int32, rows*stride)
		for i := range table {
			table[i] = int32(rng.IntN(pool))
		}
		scale := float32(1 / math.Sqrt(float64(c.hd)))
		live := slices.Repeat([]bool{true}, rows)
		reference := func() []float64 { // by that of Attention, on one query and its keys in order
			want := make([]float64, rows*dim)
			for i := range rows {
				one := attnCase{heads: c.heads, hd: c.hd, scale: scale, q: q, k: k, v: v, dout: q}
				r := attnResult{out: want, lse: make([]float64, rows*c.heads), dq: make([]float64, rows*dim), dk: make([]float64, pool*dim), dv: make([]float64, pool*dim)}
				var keys []int
				for _, x := range table[i*stride:][:c.lens[i]] {
					keys = append(keys, int(x))
				}
				for h := range c.heads {
					one.query(&r, i, h, keys)
				}
			}
			return want
		}
		check := func(t *testing.T, name string, want []float64, attend func(out, q Matrix, table, lens []int32)) {
			t.Helper()
			out := (&attnCase{heads: c.heads, hd: c.hd}).blank(rows)
			attend(out, q, table, c.lens)
			checkRows(t, fmt.Sprint(name, c), out, want, live, 3e-6)
			for i := range rows { // alone, the same bits
				single := (&attnCase{heads: c.heads, hd: c.hd}).blank(1)
				one := Matrix{V: q.V[i*q.Stride:], Rows: 1, Cols: dim, Stride: q.Stride}
				attend(single, one, table[i*stride:], c.lens[i:])
				if !slices.Equal(single.segment(0, 0, dim), out.segment(i, 0, dim)) {
					t.Errorf("%s%v: row %d differs when alone", name, c, i)
				}
			}
		}
		want := reference()
		eachISA(t, func(t *testing.T) {
			check(t, "cached ", want, func(out, q Matrix, table, lens []int32) {
				AttentionCached(out, q, k, v, c.heads, scale, table, stride, lens)
			})
		})
		rk, rv := roundedFenced(k), roundedFenced(v)
		want = reference()
		eachISA(t, func(t *testing.T) {
			check(t, "rounded ", want, func(out, q Matrix, table, lens []int32) {
				AttentionCachedRounded(out, q, rk, rv, c.heads, scale, table, stride, lens)
			})
		})
	}
}

// roundedFenced rounds m and returns what it is now in bfloat16, with NaN between the rows.
func roundedFenced(m Matrix) RoundedMatrix {
	r := RoundedMatrix{V: slices.Repeat([]uint16{0x7fff}, m.Rows*(m.Cols+1)), Rows: m.Rows, Cols: m.Cols, Stride: m.Cols + 1}
	for i := range m.Rows {
		for j, x := range m.segment(i, 0, m.Cols) {
			m.V[i*m.Stride+j] = roundBF16(x)
			r.V[i*r.Stride+j] = bf16Of(x)
		}
	}
	return r
}

func TestCacheRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	eachISA(t, func(t *testing.T) {
		for _, rows := range []int{0, 1, 8, 9, 40} {
			const pool, dim = 64, 43
			k, v := fenced(rng, rows, dim, false), fenced(rng, rows, dim, false)
			cacheK, cacheV := fenced(rng, pool, dim, false), fenced(rng, pool, dim, false)
			roundedK, roundedV := roundedFenced(cacheK), roundedFenced(cacheV)
			wantK, wantV := slices.Clone(cacheK.V), slices.Clone(cacheV.V)
			wantRoundedK, wantRoundedV := slices.Clone(roundedK.V), slices.Clone(roundedV.V)
			slots := make([]int32, rows)
			for i, at := range rng.Perm(pool)[:rows] {
				slots[i] = int32(at)
				copy(wantK[at*cacheK.Stride:], k.segment(i, 0, dim))
				copy(wantV[at*cacheV.Stride:], v.segment(i, 0, dim))
				for j := range dim {
					wantRoundedK[at*roundedK.Stride+j] = bf16Of(k.at(i, j))
					wantRoundedV[at*roundedV.Stride+j] = bf16Of(v.at(i, j))
				}
			}
			CacheRows(cacheK, cacheV, k, v, slots)
			same := func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) } // fences are NaN
			if !slices.EqualFunc(cacheK.V, wantK, same) || !slices.EqualFunc(cacheV.V, wantV, same) {
				t.Errorf("%d rows: the cache is not what it was with them put in", rows)
			}
			CacheRowsRounded(roundedK, roundedV, k, v, slots)
			if !slices.Equal(roundedK.V, wantRoundedK) || !slices.Equal(roundedV.V, wantRoundedV) {
				t.Errorf("%d rows: the rounded cache is not what it was with them put in", rows)
			}
		}
	})
}

func TestAttentionAllocatesNothing(t *testing.T) {
	c := attnCase{heads: 4, hd: 64, causal: true, qLens: []int{10, 12, 50, 50}, parent: []int32{-1, 0, -1, -1}}
	c.init()
	dq, dk, dv := c.blank(c.q.Rows), c.blank(c.k.Rows), c.blank(c.k.Rows)
	table, lens := make([]int32, 4*50), []int32{50, 50, 50, 50}
	rk, rv := roundedFenced(c.k), roundedFenced(c.v)
	if n := testing.AllocsPerRun(20, func() {
		c.forward()
		c.backward(dq, dk, dv)
		AttentionRounded(c.out, rk, rk, rv, c.heads, c.scale, c.causal, c.qs, c.ks, c.lse, c.p, c.key)
		AttentionRoundedGrad(dq, dk, dv, c.dout, c.out, rk, rk, rv, c.heads, c.scale, c.causal, c.qs, c.ks, c.lse, c.p, c.key)
		q := c.q
		q.Rows = 4
		AttentionCached(c.out, q, c.k, c.v, 4, c.scale, table, 50, lens)
		AttentionCachedRounded(c.out, q, rk, rv, 4, c.scale, table, 50, lens)
		q.Rows = 1
		CacheRows(c.k, c.v, q, q, lens)
		CacheRowsRounded(rk, rv, q, q, lens)
	}); n != 0 {
		t.Errorf("%v allocations a run", n)
	}
}
