package nn

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"
)

// topOf runs Top on some rows.
func topOf(t *testing.T, be Backend, x []float32, embed *Param, k int, scale float32) []float64 {
	t.Helper()
	dim := embed.Shape[1]
	g := G.NewGraph()
	in := NewInput(g, "x", Float, len(x)/dim+2, dim)
	out := Top(in, embed.Node(g), k, scale)
	m, err := NewMachine(be, out)
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
	got := make([]float64, len(x)/dim*(2*k+1))
	if err := m.Value(out).Read(got, 0); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestTop(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		rows, dim, vocab, k int
		scale               float32
	}{{1, 5, 3, 1, 1}, {3, 7, 3, 3, 0.5}, {35, 3, 8197, 6, 2}, {2, 4, 2*8192 + 1, 7, 1}, {2, 1, 8191, 100, 1}} {
		embed := NewParam(c.vocab, c.dim)
		embed.Name = "wte"
		for i := range embed.Data {
			embed.Data[i] = float32(r.IntN(9) - 4) // small integers: exact, and many equals
		}
		x := make([]float32, c.rows*c.dim)
		for i := range x {
			x[i] = float32(r.IntN(5) - 2)
		}
		want := topOf(t, NewReference(), x, embed, c.k, c.scale)
		got := topOf(t, NewCPU(Float32), x, embed, c.k, c.scale)
		for i := range want {
			if math.Abs(got[i]-want[i]) > 2e-6*max(1, math.Abs(want[i])) {
				t.Fatalf("%+v: number %d is %g, want %g", c, i, got[i], want[i])
			}
		}
		if last := topOf(t, NewCPU(Float32), x[len(x)-c.dim:], embed, c.k, c.scale); !slices.Equal(last, got[len(got)-len(last):]) {
			t.Errorf("%+v: a row alone gives %v, among others %v", c, last, got[len(got)-len(last):])
		}
	}
}
