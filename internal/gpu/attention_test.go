package gpu_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/gpu"
	"github.com/clipcap-go/clipcap/internal/kernel"
)

// familyStarts and familyParents are many short sequences, some empty, in families whose first is the parent of the others, or of nobody where it
// is empty; one child stands far behind.
var familyStarts, familyParents = func() (starts, parents []int32) {
	starts = []int32{0}
	for i := range int32(75) {
		starts = append(starts, starts[i]+(i*7)%5)
		switch {
		case i == 74:
			parents = append(parents, 3)
		case i%6 == 3 || i < 3:
			parents = append(parents, -1)
		default:
			parents = append(parents, i-(i+3)%6)
		}
	}
	return starts, parents
}()

// Attention and its gradient over packed sequences: empty ones, single rows, ones longer than a tile, parents, dropout, and
// heads of every kind of width.
func TestAttention(t *testing.T) {
	for _, c := range []struct {
		heads, dim int
		starts     []int32
		parent     []int32
		causal     bool
		p          float32
	}{
		{1, 1, []int32{0, 1}, nil, true, 0},
		{2, 5, []int32{0, 0, 3, 3, 20, 21}, nil, true, 0},
		{3, 31, []int32{0, 50}, nil, false, 0},
		{2, 64, []int32{0, 37, 110}, nil, true, 0},
		{1, 96, []int32{0, 9, 43}, nil, false, 0.2},
		{1, 128, []int32{0, 70}, nil, true, 0.1},
		{2, 7, []int32{0, 35, 40, 41, 80, 85, 85, 90}, []int32{-1, 0, 0, -1, 3, 3, -1}, true, 0},
		{2, 7, []int32{0, 35, 40, 41, 80, 85, 85, 90}, []int32{-1, 0, 0, -1, 3, 3, -1}, true, 0.3},
		{2, 33, []int32{0, 4, 40}, []int32{-1, 0}, false, 0.3},
		{1, 12, familyStarts, familyParents, true, 0.1},
		{2, 131, []int32{0, 5, 21, 21, 30}, nil, true, 0.2},
		{1, 200, []int32{0, 7, 12, 13, 20}, []int32{-1, 0, 0, -1}, true, 0},
		{1, 129, []int32{0, 4, 16}, []int32{-1, 0}, false, 0.3},
	} {
		if testing.Short() && c.dim > 31 {
			continue
		}
		for _, mode := range []gpu.Mode{gpu.Float32, gpu.TF32x3, gpu.BFloat16} {
			t.Run(fmt.Sprintf("%d×%d %v %v %v", c.heads, c.dim, c.causal, c.p, mode), func(t *testing.T) {
				// On tensor cores inputs that are bfloat16 already are exact; weights and their gradients are rounded.
				near, nearGrad := 2e-6, 4e-6
				switch mode {
				case gpu.TF32x3:
					nearGrad = 6e-6 // what tensor cores cut off of scores
				case gpu.BFloat16:
					near, nearGrad = 4e-3, 8e-3
				}
				b := open(t)
				b.reverse(c.causal)
				n, w := int(c.starts[len(c.starts)-1]), c.heads*c.dim
				stride := 3*w + 1
				qkv, dout := b.random(n*stride), b.random(n*w)
				if mode == gpu.BFloat16 {
					roundHalf(qkv)
					roundHalf(dout)
				}
				x := b.up(qkv, n, 3*w, stride)
				part := func(m gpu.Matrix, i int) gpu.Matrix {
					m.Ptr += gpu.Ptr(4 * i * w)
					m.Cols = w
					return m
				}
				grads := b.up(make([]float32, n*stride), n, 3*w, stride)
				a := &gpu.Attention{Q: part(x, 0), K: part(x, 1), V: part(x, 2), Out: b.zeros(n, w), LSE: b.zeros(n, c.heads),
					QStarts: b.ints(c.starts...), Sequences: len(c.starts) - 1, Heads: c.heads, Scale: 0.3, Causal: c.causal, Mode: mode,
					DOut: b.dense(dout, n, w), DQ: part(grads, 0), DK: part(grads, 1), DV: part(grads, 2)}
				a.KStarts = a.QStarts
				if c.parent != nil {
					a.Parent = b.ints(c.parent...)
				}
				if c.p > 0 {
					a.Drop = gpu.Mask{P: c.p, State: b.ints(1, 0, 2, 0), Site: 3}
				}
				b.must(b.dev.Attention(a))
				b.must(b.dev.AttentionGrad(a))

				host := func(i int) kernel.Matrix { return mat(qkv[i*w:], n, w, stride) }
				out, lse, key := make([]float32, n*w), make([]float32, n*c.heads), kernel.DropoutKey(1, 2, 3)
				s := kernel.Seqs{Starts: c.starts, Parent: c.parent}
				kernel.AttentionDropout(mat(out, n, w, w), host(0), host(1), host(2), c.heads, 0.3, c.causal, s, s, lse, c.p, key)
				b.check("out", a.Out, out, near)
				b.check("lse", a.LSE, lse, 2e-6)
				out = b.down(a.Out) // what the gradients start from
				var ds [3][]float32
				for i := range ds {
					ds[i] = make([]float32, n*w)
				}
				kernel.AttentionDropoutGrad(mat(ds[0], n, w, w), mat(ds[1], n, w, w), mat(ds[2], n, w, w), mat(dout, n, w, w), mat(out, n, w, w),
					host(0), host(1), host(2), c.heads, 0.3, c.causal, s, s, lse, c.p, key)
				for i, m := range []gpu.Matrix{a.DQ, a.DK, a.DV} {
					b.check(string("qkv"[i])+"'s gradient", m, ds[i], nearGrad)
				}
				for name, m := range map[string]gpu.Mode{"_bf16_": gpu.BFloat16, "_tf32x3_": gpu.TF32x3} {
					if got := strings.Contains(strings.Join(b.rec.Launches(), " "), name); got != (mode == m && c.dim <= gpu.MostHeadDim) {
						t.Errorf("launches %v", b.rec.Launches())
					}
				}
			})
		}
	}
}

// roundHalf cuts numbers to what bfloat16 holds.
func roundHalf(x []float32) {
	for i := range x {
		x[i] = math.Float32frombits(math.Float32bits(x[i]) &^ 0xffff)
	}
}

// Queries and keys in sequences of their own.
func TestAttentionCross(t *testing.T) {
	t.Run("float32", func(t *testing.T) { cross(t, gpu.Float32, 2e-6, 4e-6) })
	t.Run("tf32x3", func(t *testing.T) { cross(t, gpu.TF32x3, 2e-6, 4e-6) })
	t.Run("bfloat16", func(t *testing.T) { cross(t, gpu.BFloat16, 4e-3, 8e-3) })
}

func cross(t *testing.T, mode gpu.Mode, near, nearGrad float64) {
	b := open(t)
	const heads, dim, w = 2, 9, 18
	qs, ks := []int32{0, 3, 3, 20}, []int32{0, 41, 45, 50}
	qv, kv, vv, dv := b.random(20*w), b.random(50*w), b.random(50*w), b.random(20*w)
	if mode == gpu.BFloat16 {
		for _, x := range [][]float32{qv, kv, vv, dv} {
			roundHalf(x)
		}
	}
	a := &gpu.Attention{Q: b.dense(qv, 20, w), K: b.dense(kv, 50, w), V: b.dense(vv, 50, w), Out: b.zeros(20, w), LSE: b.zeros(20, heads),
		QStarts: b.ints(qs...), KStarts: b.ints(ks...), Sequences: 3, Heads: heads, Scale: 0.5, Mode: mode,
		DOut: b.dense(dv, 20, w), DQ: b.zeros(20, w), DK: b.zeros(50, w), DV: b.zeros(50, w)}
	b.must(b.dev.Attention(a))
	b.must(b.dev.AttentionGrad(a))
	out, lse := make([]float32, 20*w), make([]float32, 20*heads)
	q, k, v := mat(qv, 20, w, w), mat(kv, 50, w, w), mat(vv, 50, w, w)
	kernel.Attention(mat(out, 20, w, w), q, k, v, heads, 0.5, false, kernel.Seqs{Starts: qs}, kernel.Seqs{Starts: ks}, lse)
	dq, dk, dvv := make([]float32, 20*w), make([]float32, 50*w), make([]float32, 50*w)
	kernel.AttentionGrad(mat(dq, 20, w, w), mat(dk, 50, w, w), mat(dvv, 50, w, w), mat(dv, 20, w, w), mat(out, 20, w, w), q, k, v, heads, 0.5, false,
		kernel.Seqs{Starts: qs}, kernel.Seqs{Starts: ks}, lse)
	b.check("out", a.Out, out, near)
	b.check("dq", a.DQ, dq, nearGrad)
	b.check("dk", a.DK, dk, nearGrad)
	b.check("dv", a.DV, dvv, nearGrad)
}

// A head that not even shared memory holds is refused.
func TestAttentionRefusesHugeHeads(t *testing.T) {
	b := open(t)
	const dim = 1 << 16
	x := gpu.Matrix{Ptr: b.zeros(1, 1).Ptr, Rows: 2, Cols: dim, Stride: dim}
	if err := b.dev.Attention(&gpu.Attention{Q: x, K: x, V: x, Out: x, QStarts: b.ints(0, 2), Sequences: 1, Heads: 1}); err == nil || !strings.Contains(err.Error(), "has room for") {
		t.Errorf("a head of %d: %v", dim, err)
	}
}

// Decoding: new rows go to the cache, queries see the listed rows in any order, also none.
func TestCachedAttention(t *testing.T) {
	for _, dim := range []int{1, 7, 64, 128, 150} {
		b := open(t)
		const heads, rows, pool, longest = 2, 4, 23, 17
		w := heads * dim
		qkv, ck, cv := b.random(rows*3*w), b.random(pool*w), b.random(pool*w)
		slots := []int32{3, 22, 0, 9}
		lens := []int32{17, 1, 0, 6}
		var table []int32
		for i := range rows * longest {
			table = append(table, int32((i*7+3)%pool))
		}
		x := b.dense(qkv, rows, 3*w)
		at := func(i int) gpu.Matrix {
			return gpu.Matrix{Ptr: x.Ptr + gpu.Ptr(4*i*w), Rows: rows, Cols: w, Stride: 3 * w}
		}
		a := &gpu.CachedAttention{Q: at(0), K: at(1), V: at(2), Out: b.zeros(rows, w), CacheK: b.dense(ck, pool, w), CacheV: b.dense(cv, pool, w),
			Slots: b.ints(slots...), Table: b.ints(table...), Lens: b.ints(lens...), Longest: longest, Heads: heads, Scale: 0.4}
		b.must(b.dev.CachedAttention(a))
		for i, s := range slots {
			copy(ck[int(s)*w:][:w], qkv[i*3*w+w:])
			copy(cv[int(s)*w:][:w], qkv[i*3*w+2*w:])
		}
		want := make([]float32, rows*w)
		kernel.AttentionCached(mat(want, rows, w, w), mat(qkv, rows, w, 3*w), mat(ck, pool, w, w), mat(cv, pool, w, w), heads, 0.4, table, longest, lens)
		b.check("keys", a.CacheK, ck, 0)
		b.check("values", a.CacheV, cv, 0)
		b.check("out", a.Out, want, 2e-6)
	}
}
