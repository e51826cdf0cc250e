package nn

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"
)

// TestChain: an MLP in bfloat16 is one step where nobody reads what lies between its layers, with the bits that two steps give, for
// few and for many rows.
func TestChain(t *testing.T) {
	for _, rows := range []int{1, 5, 64, 65, 131} {
		t.Run(fmt.Sprint(rows), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(rows), 1))
			up, down := NewLinear(40, 70, true), NewLinear(70, 40, true)
			for i, p := range []*Param{up.Weight, up.Bias, down.Weight, down.Bias} {
				p.Name = fmt.Sprint("p", i)
				for j := range p.Data {
					p.Data[j] = rng.Float32() - 0.5
				}
			}
			x := make([]float32, rows*40)
			for i := range x {
				x[i] = rng.Float32() - 0.5
			}
			run := func(both bool) ([]float64, int) {
				g := G.NewGraph()
				in := NewInput(g, "x", Float, 131, 40)
				h := GELU(up.Forward(in))
				y := Add(in, down.Forward(h))
				outputs := []*G.Node{y}
				if both {
					outputs = append(outputs, h)
				}
				be := NewCPU(BFloat16)
				m, err := NewMachine(be, outputs...)
				if err != nil {
					t.Fatal(err)
				}
				defer m.Close()
				if err := Set(in, x); err != nil {
					t.Fatal(err)
				}
				if err := m.RunAll(); err != nil {
					t.Fatal(err)
				}
				return floats(t, m, y), m.Plan().Steps
			}
			want, two := run(true)
			got, one := run(false)
			if one != 1 || two != 2 {
				t.Errorf("%d steps in a chain, %d without, want 1 and 2", one, two)
			}
			if len(got) != rows*40 || !slices.Equal(got, want) {
				t.Error("the chain's result differs from that of two products")
			}
		})
	}
}
