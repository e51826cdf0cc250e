package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"
)

// opCase is a small graph around one operation. Its float inputs are parameters, so that every one of
// them has a gradient; build returns the node whose weighted sum is the loss.
type opCase struct {
	name   string
	shapes [][]int
	// build makes the graph from the parameters' nodes and sets the integer inputs.
	build func(t testing.TB, g *G.ExprGraph, p []*G.Node) *G.Node
}

// ints is a set integer input.
func ints(t testing.TB, g *G.ExprGraph, name string, room int, data ...int32) *G.Node {
	t.Helper()
	n := NewInput(g, name, Int32, room)
	set(t, n, data)
	return n
}

func set(t testing.TB, n *G.Node, data any) {
	t.Helper()
	if err := Set(n, data); err != nil {
		t.Fatal(err)
	}
}

// sequences are set packed sequences.
func sequences(t testing.TB, g *G.ExprGraph, name string, starts []int32, parent []int32) Sequences {
	s := NewSequences(g, name, len(starts)-1, parent != nil)
	set(t, s.Starts, starts)
	if parent != nil {
		set(t, s.Parent, parent)
	}
	return s
}

func opCases() []opCase {
	unary := func(name string, f func(x *G.Node) *G.Node) opCase {
		return opCase{name, [][]int{{5, 6}}, func(_ testing.TB, _ *G.ExprGraph, p []*G.Node) *G.Node { return f(p[0]) }}
	}
	cases := []opCase{
		{"Linear in-out", [][]int{{5, 3}, {3, 4}, {4}}, func(_ testing.TB, _ *G.ExprGraph, p []*G.Node) *G.Node {
			return product{bias: p[2]}.node("Linear", p[0], p[1])
		}},
		{"Linear out-in", [][]int{{5, 3}, {4, 3}, {4}}, func(_ testing.TB, _ *G.ExprGraph, p []*G.Node) *G.Node {
			return product{transB: true, bias: p[2]}.node("Linear", p[0], p[1])
		}},
		{"MatMul", [][]int{{1, 7}, {7, 1}}, func(_ testing.TB, _ *G.ExprGraph, p []*G.Node) *G.Node { return MatMul(p[0], p[1], false) }},
		{"Unembed", [][]int{{3, 5}, {7, 5}}, func(_ testing.TB, _ *G.ExprGraph, p []*G.Node) *G.Node { return Unembed(p[0], p[1]) }},
		{"MLP", [][]int{{5, 3}, {3, 7}, {7}, {7, 3}, {3}}, func(_ testing.TB, _ *G.ExprGraph, p []*G.Node) *G.Node {
			h := GELU(product{bias: p[2]}.node("Linear", p[0], p[1]))
			return Add(p[0], product{bias: p[4]}.node("Linear", h, p[3]))
		}},
		{"MLP relu", [][]int{{5, 3}, {7, 3}, {7}, {3, 7}}, func(_ testing.TB, _ *G.ExprGraph, p []*G.Node) *G.Node {
			h := ReLU(product{transB: true, bias: p[2]}.node("Linear", p[0], p[1]))
			return MatMul(h, p[3], true)
		}},
		{"ReLU of a sum", [][]int{{5, 3}, {7, 3}, {7}, {5, 7}}, func(_ testing.TB, _ *G.ExprGraph, p []*G.Node) *G.Node {
			return ReLU(Add(p[3], product{transB: true, bias: p[2]}.node("Linear", p[0], p[1])))
		}},
		{"Add", [][]int{{5, 3}, {5, 3}}, func(_ testing.TB, _ *G.ExprGraph, p []*G.Node) *G.Node { return Add(p[0], p[1]) }},
		{"Add self", [][]int{{5, 3}}, func(_ testing.TB, _ *G.ExprGraph, p []*G.Node) *G.Node { return Add(p[0], p[0]) }},
		{"LayerNorm", [][]int{{5, 6}, {6}, {6}}, func(_ testing.TB, _ *G.ExprGraph, p []*G.Node) *G.Node {
			return layerNorm(p[0], p[1], p[2], 1e-5)
		}},
		unary("L2Normalize", L2Normalize),
		unary("SplitRows", func(x *G.Node) *G.Node { return Tanh(SplitRows(x, 3)) }),
		unary("MergeRows", func(x *G.Node) *G.Node { return L2Normalize(MergeRows(x, 5)) }),
		unary("shared", func(x *G.Node) *G.Node { return Add(GELU(x), Add(Tanh(x), x)) }),
		{"Gather", [][]int{{4, 3}, {6, 3}, {2, 3}}, func(t testing.TB, g *G.ExprGraph, p []*G.Node) *G.Node {
			return Gather(Pick{p[0], ints(t, g, "a", 5, 3, -1, 0, 3, 3)}, Pick{p[1], ints(t, g, "b", 5, -1, 5, 5, 0, 1)}, Pick{p[2], ints(t, g, "c", 5, 0, 1, 0, 1, -1)})
		}},
		{"groups", [][]int{{6, 3}, {2, 3}, {1, 3}, {6, 3}}, func(_ testing.TB, _ *G.ExprGraph, p []*G.Node) *G.Node {
			x, s := AppendRows(p[0], 3, p[1])
			x, _ = PrependRows(x, 5, p[2])
			x = TakeRows(AddToGroups(x, p[3]), 6, 1, 5)
			return Attention(Heads{Q: Columns{x, 0}, K: Columns{x, 0}, V: Columns{x, 0}, Heads: 1, Dim: 3, Queries: s})
		}},
		{"stacked groups", [][]int{{6, 3}, {2, 3}, {3, 3}}, func(_ testing.TB, _ *G.ExprGraph, p []*G.Node) *G.Node {
			x, s := AppendRows(p[0], 3, p[1])
			once, each := Stack(p[0], 3, p[1])
			y := each(Tanh(MatMul(once, p[2], false)))
			return Attention(Heads{Q: Columns{x, 0}, K: Columns{y, 0}, V: Columns{each(once), 0}, Heads: 1, Dim: 3, Queries: s})
		}},
		{"groups of their own", [][]int{{6, 3}, {4, 3}}, func(_ testing.TB, _ *G.ExprGraph, p []*G.Node) *G.Node {
			x, s := PrependGroups(p[0], 3, p[1], 2)
			return Attention(Heads{Q: Columns{x, 0}, K: Columns{x, 0}, V: Columns{x, 0}, Heads: 1, Dim: 3, Queries: s})
		}},
		{"Attention causal", [][]int{{7, 12}}, func(t testing.TB, g *G.ExprGraph, p []*G.Node) *G.Node {
			return Attend(p[0], sequences(t, g, "s", []int32{0, 3, 3, 7}, nil), 2, true)
		}},
		{"Attention full", [][]int{{7, 12}}, func(t testing.TB, g *G.ExprGraph, p []*G.Node) *G.Node {
			return Attend(p[0], sequences(t, g, "s", []int32{0, 1, 7}, nil), 2, false)
		}},
		{"Attention parents", [][]int{{9, 12}}, func(t testing.TB, g *G.ExprGraph, p []*G.Node) *G.Node {
			return Attend(p[0], sequences(t, g, "s", []int32{0, 2, 4, 7, 9}, []int32{-1, 0, 0, -1}), 2, true)
		}},
		{"Attention split", [][]int{{7, 6}, {7, 10}}, func(t testing.TB, g *G.ExprGraph, p []*G.Node) *G.Node {
			return Attention(Heads{Q: Columns{p[0], 0}, K: Columns{p[1], 0}, V: Columns{p[1], 4}, Heads: 2, Dim: 2,
				Queries: sequences(t, g, "s", []int32{0, 4, 7}, nil)})
		}},
		{"Attention cross", [][]int{{2, 4}, {7, 8}}, func(t testing.TB, g *G.ExprGraph, p []*G.Node) *G.Node {
			return Attention(Heads{Q: Columns{p[0], 0}, K: Columns{p[1], 0}, V: Columns{p[1], 4}, Heads: 2, Dim: 2,
				Queries: sequences(t, g, "q", []int32{0, 1, 2}, nil), Keys: sequences(t, g, "k", []int32{0, 3, 7}, nil)})
		}},
		{"AttentionPool", [][]int{{2, 6}, {10, 4}, {6, 4}, {6, 4}, {6}}, func(_ testing.TB, _ *G.ExprGraph, p []*G.Node) *G.Node {
			return AttentionPool(p[0], p[1], 5, p[2], p[3], p[4], 3)
		}},
		{"AttentionPool many heads", [][]int{{3, 8}, {3, 3}, {8, 3}, {8, 3}, {8}}, func(_ testing.TB, _ *G.ExprGraph, p []*G.Node) *G.Node {
			return AttentionPool(p[0], p[1], 1, p[2], p[3], p[4], 8)
		}},
		{"AttentionPool of its query", [][]int{{9, 40}, {40, 40}, {40, 40}, {40}}, func(_ testing.TB, _ *G.ExprGraph, p []*G.Node) *G.Node {
			return AttentionPool(TakeRows(p[0], 3, 0, 1), p[0], 3, p[1], p[2], p[3], 2)
		}},
		{"Attention dropout", [][]int{{7, 12}}, func(t testing.TB, g *G.ExprGraph, p []*G.Node) *G.Node {
			r := NewRandom(g)
			if err := r.SetStep(3, 4); err != nil {
				t.Fatal(err)
			}
			return Attention(Heads{Q: Columns{p[0], 0}, K: Columns{p[0], 4}, V: Columns{p[0], 8}, Heads: 2, Dim: 2, Causal: true,
				Queries: sequences(t, g, "s", []int32{0, 3, 7}, nil), Drop: 0.3, Random: r})
		}},
		{"Dropout", [][]int{{7, 12}}, func(t testing.TB, g *G.ExprGraph, p []*G.Node) *G.Node {
			r := NewRandom(g)
			if err := r.SetStep(3, 4); err != nil {
				t.Fatal(err)
			}
			return Dropout(p[0], 0.3, r)
		}},
		{"CrossEntropy", [][]int{{5, 4}, {11, 4}}, func(t testing.TB, g *G.ExprGraph, p []*G.Node) *G.Node {
			return UnembedCrossEntropy(p[0], p[1], ints(t, g, "t", 5, 3, -1, 10, 0, 3))
		}},
		{"Conv2D", [][]int{{2 * 5 * 4, 3}, {4, 27}, {4}}, func(_ testing.TB, _ *G.ExprGraph, p []*G.Node) *G.Node {
			return Conv2D(p[0], p[1], p[2], Conv{H: 5, W: 4, Kernel: 3, Stride: 1, Pad: 1}, ReLUAct)
		}},
		{"Conv2D stride", [][]int{{2 * 5 * 6, 3}, {4, 12}}, func(_ testing.TB, _ *G.ExprGraph, p []*G.Node) *G.Node {
			return Conv2D(p[0], p[1], nil, Conv{H: 5, W: 6, Kernel: 2, Stride: 2}, NoActivation)
		}},
		{"AvgPool", [][]int{{2 * 4 * 6, 3}}, func(_ testing.TB, _ *G.ExprGraph, p []*G.Node) *G.Node {
			return AvgPool(p[0], Conv{H: 4, W: 6, Kernel: 2, Stride: 2})
		}},
	}
	for _, a := range []Activation{GELUTanhAct, QuickGELUAct, GELUErfAct, ReLUAct, TanhAct} {
		cases = append(cases, unary("Activate "+a.String(), func(x *G.Node) *G.Node { return Activate(x, a) }))
	}
	return cases
}

// randomParams are parameters of the given shapes, away from ReLU's kink.
func randomParams(seed uint64, shapes [][]int) []*Param {
	r := rand.New(rand.NewPCG(seed, 1))
	var ps []*Param
	for i, s := range shapes {
		p := NewParam(s...)
		p.Name = fmt.Sprintf("p%d", i)
		for j := range p.Data {
			p.Data[j] = float32(r.NormFloat64())
			if math.Abs(float64(p.Data[j])) < 1e-3 {
				p.Data[j] = 0.5
			}
		}
		ps = append(ps, p)
	}
	return ps
}

// weighted is Σ w·y as a loss, with fixed weights that differ from element to element.
func weighted(t testing.TB, y *G.Node) *G.Node {
	if y.IsScalar() {
		return y
	}
	rows, cols := y.Shape()[0], y.Shape()[1]
	g := y.Graph()
	w := NewInput(g, "loss weights", Float, rows, cols)
	ws := make([]float32, rows*cols)
	for i := range ws {
		ws[i] = float32(math.Sin(float64(3*i + 1)))
	}
	set(t, w, ws)
	return apply(&Op{name: "weightedSum", results: []result{full()},
		run: func(be Backend, in, out []*Value) error {
			v, err := in[0].Floats()
			if err != nil {
				return err
			}
			var s float64
			for i, x := range v {
				s += x * float64(ws[i])
			}
			if r, ok := be.(*Reference); ok {
				row(out[0].vec(), 0)[0] = s
				_ = r
				return nil
			}
			return be.Write(out[0].mem.Buf, out[0].mem.Off, []float32{float32(s)})
		},
		grad: func(_ *Op, in G.Nodes, _, dy *G.Node) (G.Nodes, error) { return G.Nodes{scaleBy(w, dy)}, nil },
	}, y)
}

// Every operation's gradient by every input agrees with central differences in float64.
func TestGradients(t *testing.T) {
	for _, c := range opCases() {
		t.Run(c.name, func(t *testing.T) {
			be := NewReference()
			params := randomParams(7, c.shapes)
			g := G.NewGraph()
			var nodes []*G.Node
			for _, p := range params {
				nodes = append(nodes, p.Node(g))
			}
			loss := weighted(t, c.build(t, g, nodes))
			grads, err := Backward(loss, params...)
			if err != nil {
				t.Fatal(err)
			}
			m, err := NewMachine(be, append(G.Nodes{loss}, grads.Of...)...)
			if err != nil {
				t.Fatal(err)
			}
			value := func() float64 {
				if err := m.RunAll(); err != nil {
					t.Fatal(err)
				}
				return floats(t, m, loss)[0]
			}
			value()
			var got [][]float64
			for _, d := range grads.Of {
				got = append(got, floats(t, m, d))
			}
			const h = 1e-5
			for i, p := range params {
				if len(got[i]) != len(p.Data) {
					t.Fatalf("gradient of %v has %d numbers", p.Shape, len(got[i]))
				}
				for j := range p.Data {
					nudge(t, be, p, j, h)
					up := value()
					nudge(t, be, p, j, -2*h)
					down := value()
					nudge(t, be, p, j, h)
					want := (up - down) / (2 * h)
					if d := math.Abs(got[i][j] - want); !(d <= 1e-8*max(1, math.Abs(want))*10) {
						t.Errorf("d loss / d input %d[%d] = %.10f, finite difference %.10f", i, j, got[i][j], want)
					}
				}
			}
		})
	}
}

func floats(t testing.TB, m *Machine, n *G.Node) []float64 {
	t.Helper()
	f, err := m.Value(n).Floats()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func nudge(t testing.TB, be *Reference, p *Param, i int, d float64) {
	t.Helper()
	if err := be.nudge(p, i, d); err != nil {
		t.Fatal(err)
	}
}
