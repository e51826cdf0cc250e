package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// pooling is a Pool with its weights as they are: heads of key and value [heads·dim, width].
type pooling struct {
	Pool
	key, value Matrix
	keyBias    []float32 // what the definition has beside a Pool
}

func newPooling(rng *rand.Rand, n, heads, dim, per, width int) *pooling {
	p := &pooling{key: fenced(rng, heads*dim, width, false), value: fenced(rng, heads*dim, width, false)}
	p.Q, p.Out, p.X = fenced(rng, n, heads*dim, false), fenced(rng, n, heads*dim, false), fenced(rng, n*per, width, false)
	p.U, p.Z = Mat(make([]float32, n*heads*width), n*heads, width), Mat(make([]float32, n*heads*width), n*heads, width)
	p.Scale = 1 / float32(dim*width)
	p.Bias, _ = fencedSlice(rng, heads*dim)
	p.keyBias, _ = fencedSlice(rng, heads*dim)
	return p
}

// pack packs the heads of the weights.
func (p *pooling) pack(heads int, f Format) {
	dim := p.key.Rows / heads
	p.Key, p.Value = nil, nil
	for h := range heads {
		k, v := new(Packed), new(Packed)
		k.Pack(p.key.band(h*dim, (h+1)*dim), f)
		v.Pack(p.value.band(h*dim, (h+1)*dim).T(), f)
		p.Key, p.Value = append(p.Key, k), append(p.Value, v)
	}
}

// definition is the result by way of keys and values, in float64.
func (p *pooling) definition(heads int) []float64 {
	dim, per := p.key.Rows/heads, p.X.Rows/max(1, p.Q.Rows)
	project := func(w Matrix, bias []float32, row, i int) float64 {
		s := float64(bias[i])
		for j := range w.Cols {
			s += float64(w.at(i, j)) * float64(p.X.at(row, j))
		}
		return s
	}
	var out []float64
	for s := range p.Q.Rows {
		for h := range heads {
			weights, sum := make([]float64, per), 0.0
			for t := range weights {
				var y float64
				for d := h * dim; d < (h+1)*dim; d++ {
					y += float64(p.Q.at(s, d)) * project(p.key, p.keyBias, s*per+t, d)
				}
				weights[t] = math.Exp(y * float64(p.Scale))
				sum += weights[t]
			}
			for d := h * dim; d < (h+1)*dim; d++ {
				var y float64
				for t, w := range weights {
					y += w / sum * project(p.value, p.Bias, s*per+t, d)
				}
				out = append(out, y)
			}
		}
	}
	return out
}

// AttentionPool agrees with the definition, bias of the keys included, and a sequence's result with that of the sequence alone.
func TestAttentionPool(t *testing.T) {
	for _, f := range []struct{ n, heads, dim, per, width int }{
		{1, 1, 1, 1, 1}, {3, 2, 5, 7, 33}, {2, 3, 64, 50, 96}, {5, 4, 16, 1, 31}, {9, 8, 3, 37, 70}, {0, 2, 4, 5, 6},
	} {
		t.Run(fmt.Sprint(f), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(3, 4))
			p := newPooling(rng, f.n, f.heads, f.dim, f.per, f.width)
			want := p.definition(f.heads)
			eachISA(t, func(t *testing.T) {
				for _, c := range []struct {
					f   Format
					tol float64
				}{{F32, 1e-4}, {BF16x2, 1e-4}, {BF16, 0.1}, {BF16W, 0.1}} {
					p.pack(f.heads, c.f)
					p.Out = fenced(rng, f.n, f.heads*f.dim, false)
					AttentionPool(&p.Pool)
					checkFences(t, p.Out)
					for s := range f.n {
						got := p.Out.segment(s, 0, p.Out.Cols)
						checkClose(t, c.f.String(), got, want[s*p.Out.Cols:], c.tol)
						one := p.Pool
						one.Q, one.X = p.Q.band(s, s+1), p.X.band(s*f.per, (s+1)*f.per)
						one.Out = fenced(rng, 1, p.Out.Cols, false)
						AttentionPool(&one)
						if alone := one.Out.segment(0, 0, p.Out.Cols); !slices.Equal(alone, got) {
							t.Fatalf("%v: sequence %d alone differs from sequence %d of %d", c.f, s, s, f.n)
						}
					}
				}
			})
		})
	}
}

func TestAttentionPoolAllocatesNothing(t *testing.T) {
	p := newPooling(rand.New(rand.NewPCG(1, 1)), 3, 4, 16, 20, 64)
	p.pack(4, F32)
	if n := testing.AllocsPerRun(10, func() { AttentionPool(&p.Pool) }); n != 0 {
		t.Errorf("%v allocations a run", n)
	}
}
