package gpu_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/clipcap-go/clipcap/internal/gpu"
)

// logitsOf are x·embedᵀ in float64.
func logitsOf(x, embed []float32, i, dim, vocab int) []float64 {
	out := make([]float64, vocab)
	for v := range out {
		for j := range dim {
			out[v] += float64(x[i*dim+j]) * float64(embed[v*dim+j])
		}
	}
	return out
}

func logSumExp(l []float64) float64 {
	m, s := slices.Max(l), 0.0
	for _, v := range l {
		s += math.Exp(v - m)
	}
	return m + math.Log(s)
}

// The loss and both forms of its gradient, with the vocabulary in one piece and in several, and with targets that do not count.
func TestCrossEntropy(t *testing.T) {
	for _, c := range []struct{ rows, dim, vocab, part int }{{1, 3, 5, 0}, {13, 17, 301, 0}, {13, 17, 301, 128}, {67, 33, 257, 100}, {5, 8, 7, 3}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			b := open(t)
			xv, ev := b.random(c.rows*c.dim), b.random(c.vocab*c.dim)
			targets := make([]int32, c.rows)
			for i := range targets {
				targets[i] = int32(b.rng.IntN(c.vocab))
				if i%4 == 3 {
					targets[i] = -1
				}
			}
			count := 0.0
			for _, k := range targets {
				if k >= 0 {
					count++
				}
			}
			var loss float64
			lse := make([]float32, c.rows)
			dx, de := make([]float32, c.rows*c.dim), make([]float32, c.vocab*c.dim)
			de64 := make([]float64, len(de))
			for i, target := range targets {
				l := logitsOf(xv, ev, i, c.dim, c.vocab)
				s := logSumExp(l)
				lse[i] = float32(s)
				if target < 0 {
					continue
				}
				loss += (s - l[target]) / count
				row := make([]float64, c.dim)
				for v := range l {
					d := math.Exp(l[v]-s) / count
					if v == int(target) {
						d -= 1 / count
					}
					for j := range row {
						row[j] += d * float64(ev[v*c.dim+j])
						de64[v*c.dim+j] += d * float64(xv[i*c.dim+j])
					}
				}
				for j := range row {
					dx[i*c.dim+j] = float32(row[j])
				}
			}
			for i, x := range de64 {
				de[i] = float32(2 * x)
			}
			a := &gpu.CrossEntropy{X: b.dense(xv, c.rows, c.dim), Embed: b.dense(ev, c.vocab, c.dim), Targets: b.ints(targets...), Loss: b.zeros(1, 1),
				LSE: b.zeros(1, c.rows), DX: b.zeros(c.rows, c.dim), Part: c.part}
			b.must(b.dev.CrossEntropy(a))
			b.check("loss", a.Loss, []float32{float32(loss)}, 3e-6)
			b.check("lse", a.LSE, lse, 2e-6)
			b.check("dx", a.DX, dx, 3e-6)
			a.DLoss, a.DEmbed = b.dense([]float32{2}, 1, 1), b.zeros(c.vocab, c.dim)
			b.must(b.dev.CrossEntropyGrad(a))
			for i := range dx {
				dx[i] *= 2
			}
			b.check("dx", a.DX, dx, 3e-6)
			b.check("dembed", a.DEmbed, de, 3e-6)
		})
	}
}

// No target counts: the loss is 0 and so is the gradient.
func TestCrossEntropyWithoutTargets(t *testing.T) {
	b := open(t)
	a := &gpu.CrossEntropy{X: b.dense(b.random(6), 2, 3), Embed: b.dense(b.random(15), 5, 3), Targets: b.ints(-1, -1), Loss: b.dense([]float32{9}, 1, 1),
		LSE: b.zeros(1, 2), DX: b.dense(b.random(6), 2, 3)}
	b.must(b.dev.CrossEntropy(a))
	b.check("loss", a.Loss, []float32{0}, 0)
	b.check("dx", a.DX, make([]float32, 6), 0)
}

// The greatest logits in order, of equals the earlier first.
func TestTop(t *testing.T) {
	for _, c := range []struct{ rows, vocab, k int }{{1, 1, 1}, {3, 7, 7}, {9, 1031, 5}, {2, 300, 40}} {
		b := open(t)
		const dim = 3
		xv, ev := b.random(c.rows*dim), b.random(c.vocab*dim)
		for i := range ev {
			ev[i] = float32(math.Round(float64(ev[i]))) // many equal logits, exact in float32
		}
		for i := range xv {
			xv[i] = float32(math.Round(float64(xv[i]) * 2))
		}
		out := b.zeros(c.rows, 2*c.k+1)
		b.must(b.dev.Top(out, b.dense(xv, c.rows, dim), b.dense(ev, c.vocab, dim), c.k, 0.5, gpu.Float32))
		got := b.down(out)
		for i := range c.rows {
			l := logitsOf(xv, ev, i, dim, c.vocab)
			order := make([]int, c.vocab)
			for v := range l {
				l[v] *= 0.5
				order[v] = v
			}
			slices.SortStableFunc(order, func(a, b int) int {
				switch {
				case l[a] > l[b]:
					return -1
				case l[a] < l[b]:
					return 1
				}
				return 0
			})
			row := got[i*(2*c.k+1):][:2*c.k+1]
			for j, v := range order[:c.k] {
				if row[j] != float32(l[v]) || int(row[c.k+j]) != v {
					t.Fatalf("%v, row %d, number %d: %g at %g, want %g at %d", c, i, j, row[j], row[c.k+j], l[v], v)
				}
			}
			if want := logSumExp(l); math.Abs(float64(row[2*c.k])-want) > 2e-6*(1+math.Abs(want)) {
				t.Errorf("%v, row %d: log sum %g, want %g", c, i, row[2*c.k], want)
			}
		}
	}
}

// A NaN is lower than everything, as on the CPU: whatever the logits are, k different places within the vocabulary come out.
func TestTopOfNaN(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	const vocab, k = 300, 4
	for name, c := range map[string]struct {
		logits map[int]float32 // the rest is rest
		rest   float32
		want   [k]float32
	}{
		"all":            {nil, nan, [k]float32{0, 1, 2, 3}},
		"all but two":    {map[int]float32{299: 1, 7: 2}, nan, [k]float32{7, 299, 0, 1}},
		"one":            {map[int]float32{0: nan, 9: 3}, 1, [k]float32{9, 1, 2, 3}},
		"with -infinity": {map[int]float32{5: -inf, 6: 1}, nan, [k]float32{6, 5, 0, 1}},
		"-infinity":      {nil, -inf, [k]float32{0, 1, 2, 3}},
		"infinity":       {map[int]float32{270: inf, 20: nan}, 0, [k]float32{270, 0, 1, 2}},
	} {
		b := open(t)
		v := make([]float32, vocab)
		for i := range v {
			v[i] = c.rest
			if x, ok := c.logits[i]; ok {
				v[i] = x
			}
		}
		out := b.zeros(1, 2*k+1)
		b.must(b.dev.Top(out, b.dense([]float32{1}, 1, 1), b.dense(v, vocab, 1), k, 1, gpu.Float32))
		if got := b.down(out); [k]float32(got[k:2*k]) != c.want {
			t.Errorf("%s: places %v, want %v", name, got[k:2*k], c.want)
		}
	}
}

// Whatever the vocabulary, rows of logits begin on 16 bytes, so that products read them in whole pieces.
func TestLogitsLieOn16Bytes(t *testing.T) {
	b := open(t)
	const rows, dim, vocab = 70, 12, 61
	a := &gpu.CrossEntropy{X: b.dense(b.random(rows*dim), rows, dim), Embed: b.dense(b.random(vocab*dim), vocab, dim), Targets: b.ints(make([]int32, rows)...),
		Loss: b.zeros(1, 1), LSE: b.zeros(1, rows), DX: b.zeros(rows, dim), Part: 33}
	b.must(b.dev.CrossEntropy(a))
	b.must(b.dev.Flush())
	products := 0
	for _, e := range b.rec.Events {
		if e.Launch.Kernel != "gemm_float32_nn" {
			continue
		}
		products++ // left operand: address and distance of rows
		if at, stride := e.Launch.Args[2], e.Launch.Args[3]; at%16 != 0 || stride%4 != 0 {
			t.Errorf("a product reads logits at %#x, rows %d numbers apart", at, stride)
		}
	}
	if products != 2 {
		t.Errorf("%d products with logits, want one a piece of the vocabulary", products)
	}
}
