package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"
)

// TestConv2DWinograd holds the convolution against its definition in float64, on every instruction set and in every
// format of weights, and an image alone against the same in a batch, bit for bit.
func TestConv2DWinograd(t *testing.T) {
	for _, f := range []struct {
		n int
		c Conv
	}{
		{1, Conv{9, 9, 16, 3, 3, 1, 1, 16}},   // odd
		{3, Conv{18, 18, 24, 3, 3, 1, 1, 33}}, // more than a panel
		{2, Conv{5, 8, 17, 3, 3, 1, 0, 40}},   // not padded
		{1, Conv{3, 3, 40, 3, 3, 1, 0, 100}},  // one pixel
		{2, Conv{1, 1, 16, 3, 3, 1, 1, 20}},   // one pixel of one
		{1, Conv{4, 3, 20, 3, 3, 1, 3, 16}},   // kernels that lie in the padding
		{5, Conv{14, 14, 64, 3, 3, 1, 1, 64}}, // several blocks
		{0, Conv{4, 4, 16, 3, 3, 1, 1, 16}},   // nothing
	} {
		t.Run(fmt.Sprint(f.n, f.c), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(7, 8))
			c := f.c
			oh, ow := c.OutSize()
			rows := f.n * oh * ow
			x, _ := fencedSlice(rng, f.n*c.H*c.W*c.C)
			bias, _ := fencedSlice(rng, c.Out)
			w := fenced(rng, c.Out, c.depth(), false)
			want, size := make([]float64, rows*c.Out), make([]float64, rows*c.Out)
			c.reference(f.n, func(i, j, k int) {
				v := float64(x[j]) * float64(w.at(k/c.depth(), k%c.depth()))
				want[i] += v
				size[i] += math.Abs(v)
			})
			for i := range want {
				want[i] = max(want[i]+float64(bias[i%c.Out]), 0)
			}
			eachISA(t, func(t *testing.T) {
				for _, form := range []Format{F32, BF16, BF16x2, BF16x3} {
					parts := make([]*Packed, winogradPlaces)
					for i := range parts {
						parts[i] = new(Packed)
					}
					PackWinograd(parts, w, c, form)
					y, check := fencedSlice(rng, rows*c.Out)
					Conv2DWinograd(Pixels{Floats: y}, Pixels{Floats: x}, f.n, c, parts, bias, ReLU)
					check(t)
					// relative to the sum of the terms' sizes
					most := [...]float64{F32: 4e-7, BF16: 8e-3, BF16x2: 3e-5, BF16x3: 6e-7}[form]
					for i, v := range y {
						if d := math.Abs(float64(v) - want[i]); d > most*(size[i]+1) || math.IsNaN(d) {
							t.Fatalf("%v: element %d is %v, want %v", form, i, v, want[i])
						}
					}
					if f.n > 1 {
						each := rows / f.n * c.Out
						alone := make([]float32, each)
						Conv2DWinograd(Pixels{Floats: alone}, Pixels{Floats: x[(f.n-1)*c.H*c.W*c.C:]}, 1, c, parts, bias, ReLU)
						if !slices.Equal(alone, y[(f.n-1)*each:]) {
							t.Errorf("%v: the last image alone differs from itself in the batch", form)
						}
					}
				}
			})
		})
	}
}

// TestConv2DWinogradEpilogue: no bias, and an activation of another kind.
func TestConv2DWinogradEpilogue(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	c := Conv{6, 7, 18, 3, 3, 1, 1, 21}
	x, _ := fencedSlice(rng, c.H*c.W*c.C)
	w := fenced(rng, c.Out, c.depth(), false)
	var direct Packed
	direct.Pack(w.T(), F32)
	parts := make([]*Packed, winogradPlaces)
	for i := range parts {
		parts[i] = new(Packed)
	}
	PackWinograd(parts, w, c, F32)
	for _, act := range []Activation{None, ReLU, Tanh} {
		got, want := make([]float32, 6*7*21), make([]float32, 6*7*21)
		Conv2DWinograd(Pixels{Floats: got}, Pixels{Floats: x}, 1, c, parts, nil, act)
		Conv2D(want, x, 1, c, &direct, &Epilogue{Act: act})
		for i := range got {
			if d := math.Abs(float64(got[i] - want[i])); d > 1e-4 {
				t.Fatalf("activation %d: element %d is %v, want %v", act, i, got[i], want[i])
			}
		}
	}
}

// TestWinogradForms: every form of the transforms gives the plain one's numbers, and NaN stays NaN behind ReLU.
func TestWinogradForms(t *testing.T) {
	for _, n := range []int{1, 7, 8, 9, 15, 16, 17, 31, 40} {
		rng := rand.New(rand.NewPCG(uint64(n), 3))
		var in [winogradPlaces]unsafe.Pointer
		for i := range in {
			v, _ := fencedSlice(rng, n)
			in[i] = unsafe.Pointer(&v[0])
		}
		bias, _ := fencedSlice(rng, n)
		bias[n/2] = float32(math.NaN())
		run := func() (places, pixels []float32) {
			step := n + 3
			places = make([]float32, winogradPlaces*step)
			winogradIn(places, step, &in, n)
			pixels = make([]float32, 4*n)
			to := [4]unsafe.Pointer{unsafe.Pointer(&pixels[0]), unsafe.Pointer(&pixels[n]), unsafe.Pointer(&pixels[2*n]), unsafe.Pointer(&pixels[3*n])}
			winogradOut(&to, places, step, bias, n%2 == 1)
			return
		}
		old := isa
		isa = Generic
		wantPlaces, wantPixels := run()
		isa = old
		if !math.IsNaN(float64(wantPixels[n/2])) {
			t.Errorf("n %d: NaN became %v", n, wantPixels[n/2])
		}
		eachISA(t, func(t *testing.T) {
			places, pixels := run()
			for i := range places {
				if places[i] != wantPlaces[i] {
					t.Fatalf("n %d: place %d is %v, want %v", n, i, places[i], wantPlaces[i])
				}
			}
			for i := range pixels {
				if pixels[i] != wantPixels[i] && pixels[i] == pixels[i] {
					t.Fatalf("n %d: pixel %d is %v, want %v", n, i, pixels[i], wantPixels[i])
				}
			}
		})
	}
}

// TestWinogradFormat: only bfloat16's products may be done in another format, and that a more precise one.
func TestWinogradFormat(t *testing.T) {
	for _, channels := range []int{16, 40, 64, 80, 112, 640} {
		c := Conv{9, 9, channels, 3, 3, 1, 1, 40}
		for _, f := range []Format{F32, BF16x2, BF16x3, BF16W, Int8} {
			if got := c.WinogradFormat(f); got != f {
				t.Errorf("%d channels: %v becomes %v", channels, f, got)
			}
		}
		want := BF16
		if isa < AMX && (channels == 16) {
			want = F32
		}
		if got := c.WinogradFormat(BF16); got != want {
			t.Errorf("%d channels: bfloat16 becomes %v, want %v", channels, got, want)
		}
	}
}
