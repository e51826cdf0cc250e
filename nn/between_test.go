package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	G "gorgonia.org/gorgonia"
)

// bottleneck is two blocks of a small ResNet behind a convolution of three channels, on images of 8×8 pixels.
type bottleneck struct {
	weights []*Param
	in, out *G.Node
	middle  *G.Node // between the blocks
}

func newBottleneck(images int, weights []*Param) *bottleneck {
	g := G.NewGraph()
	b := &bottleneck{weights: weights, in: NewInput(g, "pixels", Float, images*64, 3)}
	next := 0
	param := func(shape ...int) *Param {
		if next == len(b.weights) {
			rng := rand.New(rand.NewPCG(uint64(next), 9))
			p := NewParam(shape...)
			p.Name = fmt.Sprint("w", next)
			p.Frozen = true
			n := p.Shape[len(p.Shape)-1]
			for i := range p.Data {
				p.Data[i] = (rng.Float32()*2 - 1) * float32(math.Sqrt(3/float64(n)))
			}
			b.weights = append(b.weights, p)
		}
		next++
		return b.weights[next-1]
	}
	conv := func(x *G.Node, from, to, size int) *G.Node {
		return Conv2D(x, param(to, 9*from).Node(g), param(to).Node(g), Conv{H: size, W: size, Kernel: 3, Stride: 1, Pad: 1}, ReLUAct)
	}
	linear := func(x *G.Node, from, to int) *G.Node {
		l := Linear{Weight: param(to, from), Bias: param(to), OutIn: true}
		return l.Forward(x)
	}
	x := conv(b.in, 3, 40, 8) // no convolution of Winograd's
	x = conv(x, 40, 80, 8)
	y := ReLU(linear(x, 80, 32))
	y = conv(y, 32, 32, 8)
	y = AvgPool(y, Conv{H: 8, W: 8, Kernel: 2, Stride: 2})
	short := linear(AvgPool(x, Conv{H: 8, W: 8, Kernel: 2, Stride: 2}), 80, 128)
	x = ReLU(Add(short, linear(y, 32, 128)))
	b.middle = x
	y = ReLU(linear(x, 128, 32))
	y = conv(y, 32, 32, 4)
	x = ReLU(Add(x, linear(y, 32, 128)))
	b.out = TakeRows(x, 16, 3, 2)
	return b
}

// pixelsOf are the pixels of images first to first+n.
func pixelsOf(first, n int) []float32 {
	var v []float32
	for i := range n {
		rng := rand.New(rand.NewPCG(uint64(first+i), 5))
		for range 64 * 3 {
			v = append(v, rng.Float32()*2-1)
		}
	}
	return v
}

func cosine(a, b []float64) float64 {
	var ab, aa, bb float64
	for i, x := range a {
		ab, aa, bb = ab+x*b[i], aa+x*x, bb+b[i]*b[i]
	}
	return ab / math.Sqrt(aa*bb)
}

// TestCompactActivations: a convolution whose activation is not done on the way to a rounded result keeps numbers.
func TestCompactActivations(t *testing.T) {
	weight := NewParam(32, 9*32)
	weight.Name, weight.Frozen = "w", true
	rng := rand.New(rand.NewPCG(2, 3))
	for i := range weight.Data {
		weight.Data[i] = rng.Float32()*0.2 - 0.1
	}
	x := make([]float32, 64*32)
	for i := range x {
		x[i] = rng.Float32()*2 - 1
	}
	for _, act := range []Activation{NoActivation, ReLUAct, QuickGELUAct, TanhAct} {
		run := func(be Backend) ([]float64, bool) {
			g := G.NewGraph()
			in := NewInput(g, "x", Float, 64, 32)
			c := Conv{H: 8, W: 8, Kernel: 3, Stride: 1, Pad: 1}
			inner := Conv2D(in, weight.Node(g), nil, c, act)
			y := Conv2D(inner, weight.Node(g), nil, c, NoActivation)
			m, err := NewMachine(be, y)
			if err != nil {
				t.Fatal(err)
			}
			if err := Set(in, x); err != nil {
				t.Fatal(err)
			}
			if err := m.RunAll(); err != nil {
				t.Fatal(err)
			}
			return floats(t, m, y), m.steps[0].out[0].mem.Form == Ordered
		}
		want, _ := run(NewReference())
		got, compact := run(NewCPU(BFloat16))
		if c := cosine(got, want); c < 0.9995 {
			t.Errorf("%v: cosine %v with the reference", act, c)
		}
		if compact != (act == NoActivation || act == ReLUAct) {
			t.Errorf("%v: rounded: %v", act, compact)
		}
	}
}

// TestCompact: images between the layers of a ResNet are kept rounded in bfloat16 and nowhere else, in less memory, with results
// close to the reference's that do not depend on the batch.
func TestCompact(t *testing.T) {
	ref := newBottleneck(4, nil)
	run := func(be Backend, capacity, first, n int, extra func(b *bottleneck) []*G.Node) ([]float64, *Machine) {
		b := newBottleneck(capacity, ref.weights)
		outputs := []*G.Node{b.out}
		if extra != nil {
			outputs = append(outputs, extra(b)...)
		}
		m, err := NewMachine(be, outputs...)
		if err != nil {
			t.Fatal(err)
		}
		if err := Set(b.in, pixelsOf(first, n)); err != nil {
			t.Fatal(err)
		}
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		return floats(t, m, b.out), m
	}
	compacted := func(m *Machine) (n int) {
		for _, s := range m.steps {
			if s.out[0].mem.Form == Ordered {
				n++
			}
		}
		return n
	}
	want, _ := run(NewReference(), 4, 0, 3, nil)
	exact, plain := run(NewCPU(Float32), 4, 0, 3, nil)
	if n := compacted(plain); n != 0 {
		t.Errorf("in float32 %d results are rounded", n)
	}
	if c := cosine(exact, want); c < 1-1e-10 {
		t.Errorf("float32: cosine %v with the reference", c)
	}
	be := NewCPU(BFloat16)
	got, m := run(be, 4, 0, 3, nil)
	if c := cosine(got, want); c < 0.9995 {
		t.Errorf("bfloat16: cosine %v with the reference", c)
	}
	// all but what the first convolution makes and TakeRows reads
	if n := compacted(m); n != 9 {
		t.Errorf("%d results are rounded, want 9", n)
	}
	if m.Plan().Arena > plain.Plan().Arena {
		t.Errorf("rounded images take %d numbers, others %d", m.Plan().Arena, plain.Plan().Arena)
	}
	for _, c := range [][3]int{{1, 0, 1}, {1, 2, 1}, {2, 1, 2}, {4, 2, 1}} {
		some, _ := run(be, c[0], c[1], c[2], nil)
		if each := len(got) / 3; !slices.Equal(some, got[c[1]*each:(c[1]+c[2])*each]) {
			t.Errorf("images from %d on, %d of them: other features than in the batch", c[1], c[2])
		}
	}
	// a result that is an output is kept as it is
	also, m := run(NewCPU(BFloat16), 4, 0, 3, func(b *bottleneck) []*G.Node { return []*G.Node{b.middle} })
	if c := cosine(also, want); c < 0.9995 || compacted(m) != 8 {
		t.Errorf("with an output between: cosine %v, %d results rounded", c, compacted(m))
	}
}
