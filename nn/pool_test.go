package nn

import (
	"fmt"
	"testing"

	G "gorgonia.org/gorgonia"
)

// The pooling of the least and of the largest ResNet that OpenAI published (of the latter a part of an image), without keys and
// values, is what keys and values give: those with a bias, which the pooling does not have.
func TestAttentionPoolIsAttention(t *testing.T) {
	for _, c := range []struct{ width, heads, side int }{{2048, 32, 7}, {4096, 64, 2}} {
		if testing.Short() && c.width > 2048 {
			continue
		}
		const groups = 2
		per := c.side*c.side + 1
		ps := randomParams(5, [][]int{{groups, c.width}, {groups * per, c.width}, {c.width}, {c.width}})
		for i, shape := range []string{"key", "value"} {
			w := NewParam(c.width, c.width)
			w.Name = shape
			w.Normal(uint64(i), 0.02)
			ps = append(ps, w)
		}
		g := G.NewGraph()
		var p []*G.Node
		for _, w := range ps {
			p = append(p, w.Node(g))
		}
		pooled := AttentionPool(p[0], p[1], per, p[4], p[5], p[3], c.heads)
		k := product{transB: true, bias: p[2]}.node("Linear", p[1], p[4])
		v := product{transB: true, bias: p[3]}.node("Linear", p[1], p[5])
		attended := Attention(Heads{Q: Columns{Node: p[0]}, K: Columns{Node: k}, V: Columns{Node: v}, Heads: c.heads, Dim: c.width / c.heads,
			Queries: sequences(t, g, "q", []int32{0, 1, 2}, nil), Keys: sequences(t, g, "k", []int32{0, int32(per), int32(2 * per)}, nil)})
		for _, b := range []struct {
			p   Precision
			tol float64
		}{{Float32, 2e-5}, {BFloat16, 0.05}} {
			t.Run(fmt.Sprint(c.width, b.p), func(t *testing.T) {
				m, err := NewMachine(NewCPU(b.p), pooled, attended)
				if err != nil {
					t.Fatal(err)
				}
				if err := m.RunAll(); err != nil {
					t.Fatal(err)
				}
				if d := maxDiff(floats(t, m, pooled), floats(t, m, attended)); !(d <= b.tol) {
					t.Errorf("%g apart, want %g", d, b.tol)
				} else {
					t.Logf("%g apart", d)
				}
			})
		}
	}
}

// BenchmarkAttentionPool is RN50x4's pooling without keys and values, and with them, for the same images.
func BenchmarkAttentionPool(b *testing.B) {
	const width, heads, per = 2560, 40, 82
	weights := [2]*Param{NewParam(width, width), NewParam(width, width)}
	for i, w := range weights {
		w.Name = fmt.Sprint("w", i)
		w.Normal(uint64(i), 0.02)
	}
	bias := NewParam(width)
	bias.Name = "bias"
	for _, p := range []Precision{Float32, BFloat16} {
		for _, images := range []int{1, 8, 16} {
			for _, way := range []string{"queries", "keys"} {
				b.Run(fmt.Sprintf("%v/%d/%s", p, images, way), func(b *testing.B) {
					g := G.NewGraph()
					q, x := NewInput(g, "q", Float, images, width), NewInput(g, "x", Float, images*per, width)
					var y *G.Node
					if way == "queries" {
						y = AttentionPool(q, x, per, weights[0].Node(g), weights[1].Node(g), bias.Node(g), heads)
					} else {
						k, v := Linear{Weight: weights[0], Bias: bias, OutIn: true}, Linear{Weight: weights[1], Bias: bias, OutIn: true}
						y = Attention(Heads{Q: Columns{Node: q}, K: Columns{Node: k.Forward(x)}, V: Columns{Node: v.Forward(x)}, Heads: heads,
							Dim: width / heads, Queries: Group(q, 1), Keys: Group(x, per)})
					}
					for i, n := range []*G.Node{q, x} {
						v := make([]float32, n.Shape().TotalSize())
						for j := range v {
							v[j] = float32(j*(7919+i)%1000)/500 - 1
						}
						set(b, n, v)
					}
					m, err := NewMachine(NewCPU(p), y)
					if err != nil {
						b.Fatal(err)
					}
					for b.Loop() {
						if err := m.RunAll(); err != nil {
							b.Fatal(err)
						}
					}
					b.ReportMetric(1e3*b.Elapsed().Seconds()/float64(b.N*images), "ms/image")
				})
			}
		}
	}
}

// Weights that a backend has taken serve the pooling with the same bits.
func TestTakePool(t *testing.T) {
	for _, c := range []struct {
		name string
		open func() Backend
	}{
		{"float32", func() Backend { return NewCPU(Float32) }},
		{"bfloat16", func() Backend { return NewCPU(BFloat16) }},
		{"GPU, bfloat16", func() Backend { return simulated(t, BFloat16) }},
	} {
		var got [2][]float64
		for i, take := range []bool{false, true} {
			be := c.open()
			ps := randomParams(2, [][]int{{3, 12}, {15, 7}, {12, 7}, {12, 7}, {12}})
			if take {
				to := be.(Holder)
				to.TakePool(ps[2], 4, false)
				to.TakePool(ps[3], 4, true)
				to.TakePool(ps[3], 4, true) // once is enough
				if ps[2].Data != nil || ps[3].Data != nil {
					t.Error("taken, and still there")
				}
			}
			g := G.NewGraph()
			y := AttentionPool(ps[0].Node(g), ps[1].Node(g), 5, ps[2].Node(g), ps[3].Node(g), ps[4].Node(g), 4)
			m, err := NewMachine(be, y)
			if err != nil {
				t.Fatal(err)
			}
			if err := m.RunAll(); err != nil {
				t.Fatal(err)
			}
			got[i] = floats(t, m, y)
		}
		if d := maxDiff(got[0], got[1]); d != 0 {
			t.Errorf("%s: %g apart", c.name, d)
		}
	}
}
