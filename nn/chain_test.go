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

// TestChainTrained: the chain keeps what its activation is taken of for the gradient, whether its weights stay packed, are packed for every
// product, or are frozen; loss and gradients have the bits that single products give.
func TestChainTrained(t *testing.T) {
	for _, rows := range []int{7, 131} {
		for _, form := range []string{"kept", "changing", "frozen"} {
			t.Run(fmt.Sprint(form, rows), func(t *testing.T) {
				rng := rand.New(rand.NewPCG(uint64(rows), 2))
				x := NewParam(rows, 40)
				up, down := NewLinear(40, 70, true), NewLinear(70, 40, true)
				params := Params{x, up.Weight, up.Bias, down.Weight, down.Bias}
				for i, p := range params {
					p.Name = fmt.Sprint("p", i)
					for j := range p.Data {
						p.Data[j] = rng.Float32() - 0.5
					}
					p.Frozen = form == "frozen" && i > 0
				}
				if form == "frozen" {
					params = params[:1]
				}
				run := func(apart bool) (all [][]float64, steps int) {
					g := G.NewGraph()
					in := x.Node(g)
					h := GELU(up.Forward(in))
					loss := weighted(t, Add(in, down.Forward(h)))
					grads, err := Backward(loss, params...)
					if err != nil {
						t.Fatal(err)
					}
					outputs := append(G.Nodes{loss}, grads.Of...)
					wanted := outputs
					if apart {
						outputs = append(outputs, h)
					}
					m, err := NewMachineFor(NewCPU(BFloat16), MachineOptions{Changing: form == "changing"}, outputs...)
					if err != nil {
						t.Fatal(err)
					}
					defer m.Close()
					if err := m.RunAll(); err != nil {
						t.Fatal(err)
					}
					for _, n := range wanted {
						all = append(all, floats(t, m, n))
					}
					return all, m.Plan().Steps
				}
				want, apart := run(true)
				got, together := run(false)
				if together != apart-1 {
					t.Errorf("%d steps with a chain, %d without", together, apart)
				}
				for i := range want {
					if len(got[i]) == 0 || !slices.Equal(got[i], want[i]) {
						t.Errorf("output %d differs from that of two products", i)
					}
				}
			})
		}
	}
}
