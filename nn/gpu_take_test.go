package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/internal/gpu"
	"github.com/clipcap-go/clipcap/internal/gpu/ptxsim"
)

// taking is a small graph over three weights in the ways that they are used: a table whose rows are gathered and searched, a
// product and a product with the transpose, with the gradient of an input through both.
type taking struct {
	embed, up, down *Param
	head            *Param // of the loss, not handed over
}

func newTaking(vocab, dim, hidden int) *taking {
	rng := rand.New(rand.NewPCG(1, 2))
	w := &taking{NewParam(vocab, dim), NewParam(dim, hidden), NewParam(dim, hidden), NewParam(vocab, dim)}
	for name, p := range map[string]*Param{"embed": w.embed, "up": w.up, "down": w.down, "head": w.head} {
		p.Name = name
	}
	for _, p := range append(w.all(), w.head) {
		for j := range p.Data {
			p.Data[j] = float32(rng.NormFloat64() / 4)
		}
	}
	return w
}

func (w *taking) all() []*Param { return []*Param{w.embed, w.up, w.down} }

// hand gives the weights to a backend.
func (w *taking) hand(to Holder) {
	for _, p := range w.all() {
		to.Take(p, p != w.up)
		p.Frozen = true
	}
}

// run gives the products' result, the gradient of what is added to the table's rows, and the search's.
func (w *taking) run(t *testing.T, be Backend, live int) (results [3][]float64) {
	t.Helper()
	dim := w.embed.Shape[1]
	g := G.NewGraph()
	idx := NewInput(g, "idx", Int32, live)
	shift := NewParam(live, dim)
	shift.Name = "shift"
	at := NewInput(g, "at", Int32, live)
	x := Gather(Pick{w.embed.Node(g), idx}, Pick{shift.Node(g), at})
	y := MatMul(MatMul(x, w.up.Node(g), false), w.down.Node(g), true)
	grads, err := Backward(UnembedCrossEntropy(y, w.head.Node(g), idx), shift)
	if err != nil {
		t.Fatal(err)
	}
	top := Top(y, w.embed.Node(g), 3, 1)
	outputs := G.Nodes{y, grads.Of[0], top}
	m, err := NewMachine(be, outputs...)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	ids, order := make([]int32, live), make([]int32, live)
	for i := range ids {
		ids[i], order[i] = int32(i*5%w.embed.Shape[0]), int32(i)
	}
	for n, v := range map[*G.Node][]int32{idx: ids, at: order} {
		if err := Set(n, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.RunAll(); err != nil {
		t.Fatal(err)
	}
	for i, n := range outputs {
		results[i] = floats(t, m, n)
	}
	return results
}

// Parameters that were handed to a GPU are there in one form alone, as large as that form is, and serve products, gradients, tables and
// the search over the vocabulary with the numbers that the CPU rounds to in that format; other backends refuse them.
func TestGPUTake(t *testing.T) {
	const vocab, dim, hidden = 61, 24, 40
	for _, c := range []struct {
		format WeightFormat
		p      Precision
		bytes  int // a number
		near   float64
		step   float32 // the most that rounding changes, of 1
	}{
		{WeightsByPrecision, Float32, 4, 1e-5, 0},
		{WeightsByPrecision, BFloat16, 2, 3e-2, 0x1p-8},
		{WeightsBFloat16, High, 2, 1e-5, 0x1p-8},
		{WeightsInt8, High, 1, 1e-5, 1. / 100},
		{WeightsInt8, BFloat16, 1, 1e-5, 1. / 100}, // activations are not rounded
		{WeightsInt8, Float32, 1, 1e-5, 1. / 100},
		{WeightsFloat32, BFloat16, 4, 1e-5, 0},
	} {
		for _, live := range []int{3, 11} {
			t.Run(fmt.Sprintf("%v/%v/%d", c.format, c.p, live), func(t *testing.T) {
				driver, err := ptxsim.Open(1 << 28)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { driver.Close() })
				rec := &gpu.Recorder{Next: driver}
				dev, err := gpu.NewDevice(rec)
				if err != nil {
					t.Fatal(err)
				}
				device := NewGPUWeights(dev, "cuda:sim", c.p, c.format)
				onCPU, onGPU, exact := newTaking(vocab, dim, hidden), newTaking(vocab, dim, hidden), newTaking(vocab, dim, hidden)
				onCPU.hand(NewCPUWeights(c.p, c.format))
				onGPU.hand(device)
				got := onGPU.run(t, device, live)
				for i, p := range exact.all() {
					rounded := make([]float32, len(p.Data))
					if err := onGPU.all()[i].Rows(rounded, 0); err != nil {
						t.Fatal(err)
					}
					for j, x := range rounded {
						if d := x - p.Data[j]; !(max(d, -d) <= c.step) { // none is above 1 by much
							t.Fatalf("%s: number %d is %g, was %g", p.Name, j, x, p.Data[j])
						}
					}
					p.Data = rounded
				}
				want := exact.run(t, NewReference(), live)
				for i, name := range []string{"the products", "the gradient", "the search"} {
					scale := 1e-3
					for _, x := range want[i] {
						scale = max(scale, math.Abs(x))
					}
					if i == 2 && c.near > 1e-3 {
						continue // near equals may change places
					}
					if d := maxDiff(got[i], want[i]); !(d <= c.near*scale) {
						t.Errorf("%s differ by %g of %g", name, d, scale)
					}
				}
				weights := 0
				for _, e := range rec.Events {
					if e.Call == "Upload" && slices.Contains([]int{vocab * dim * c.bytes, dim * hidden * c.bytes}, e.Bytes) {
						weights++
					}
				}
				uploads := 3
				if c.bytes == 4 {
					uploads = 4 // the loss's head
				}
				if weights != uploads {
					t.Errorf("%d weights were uploaded with %d bytes a number, want %d", weights, c.bytes, uploads)
				}
				rows, same := make([]float32, 2*dim), make([]float32, 2*dim)
				if err := onGPU.embed.Rows(rows, 7); err != nil {
					t.Error(err)
				}
				if err := onCPU.embed.Rows(same, 7); err != nil {
					t.Error(err)
				}
				if !slices.Equal(rows, same) {
					t.Errorf("rows of the table are %v, on the CPU %v", rows, same)
				}
				if err := onGPU.embed.Rows(rows, vocab-1); err == nil {
					t.Error("rows beyond the table were read")
				}
				for _, p := range onGPU.all() {
					if p.Data != nil {
						t.Errorf("%s is still on the host", p.Name)
					}
					if _, err := simulated(t, Float32).Parameter(p); err == nil || !strings.Contains(err.Error(), p.Name) {
						t.Errorf("another backend took %s: %v", p.Name, err)
					}
				}
				if err := device.Close(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// Where a device has no room for a parameter it stays on the host, and the run says what is wanted.
func TestGPUTakeNoRoom(t *testing.T) {
	rec := &gpu.Recorder{}
	dev, err := gpu.NewDevice(rec)
	if err != nil {
		t.Fatal(err)
	}
	rec.Fail = func(call string, bytes int) error {
		if call == "Alloc" && bytes >= 24*40 {
			return gpu.ErrMemory
		}
		return nil
	}
	for _, format := range []WeightFormat{WeightsByPrecision, WeightsBFloat16, WeightsInt8} {
		be := NewGPUWeights(dev, "cuda:sim", High, format)
		p := NewParam(24, 40)
		p.Name = "up"
		be.Take(p, false)
		if p.Data == nil {
			t.Errorf("format %v: the numbers are nowhere", format)
		}
		if _, err := be.Parameter(p); err == nil || !strings.Contains(err.Error(), "up [24 40]") {
			t.Errorf("format %v: %v", format, err)
		}
	}
	if n := dev.Used(); n != 0 {
		t.Errorf("%d bytes are still in use", n)
	}
}
