package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// fencedRounded is a matrix that lies rounded between fences.
func fencedRounded(rng *rand.Rand, rows, cols int) (r *Rounded, check func(t *testing.T)) {
	const margin = 32
	n := RoundedSize(rows, cols)
	v := alignedFloats(n + 2*margin)
	for i := range v {
		v[i] = fence
	}
	r = new(Rounded)
	r.Lay(v[margin:], rows, cols)
	numbers := make([]float32, rows*cols)
	for i := range numbers {
		numbers[i] = float32(rng.NormFloat64())
	}
	setRounded(r, numbers)
	return r, func(t *testing.T) {
		t.Helper()
		for i := range margin {
			if v[i] != fence || v[margin+n+i] != fence {
				t.Fatal("something was written beside a rounded matrix")
			}
		}
	}
}

// setRounded gives r numbers, and numbersOf takes them out again; what is plain is rounded nevertheless.
func setRounded(r *Rounded, v []float32) {
	if !r.plain {
		r.round(v)
		return
	}
	for i, x := range v {
		r.mem[i] = f32OfBF16(bf16Of(x))
	}
}

func numbersOf(r *Rounded) []float32 {
	if r.plain {
		return slices.Clone(r.mem[:r.rows*r.cols])
	}
	return r.widen(make([]float32, r.rows*r.cols))
}

// rounds is v as a Rounded would keep it.
func (r *Rounded) rounds(v []float32) []float32 {
	if !r.plain {
		v = slices.Clone(v)
		for i, x := range v {
			v[i] = f32OfBF16(bf16Of(x))
		}
	}
	return v
}

// TestRoundedLies: numbers of bfloat16 come out of a Rounded as they went in, and the columns that fill its groups are zero.
func TestRoundedLies(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(3, 1))
		for _, s := range [][2]int{{1, 1}, {13, 31}, {14, 32}, {15, 33}, {47, 80}, {65, 100}, {0, 5}, {3, 0}} {
			r, check := fencedRounded(rng, s[0], s[1])
			want := make([]float32, s[0]*s[1])
			for i := range want {
				want[i] = f32OfBF16(bf16Of(float32(rng.NormFloat64())))
			}
			setRounded(r, want)
			if !slices.Equal(numbersOf(r), want) {
				t.Errorf("%v: other numbers came out", s)
			}
			check(t)
			if n := RoundedSize(s[0], s[1]); WorthRounding(s[1]) && s[0] > 60 && n > s[0]*s[1] {
				t.Errorf("%v takes %d numbers", s, n)
			}
		}
	})
}

// TestGemmBetween: a product from a rounded matrix to another, with every epilogue and a rounded residual, is the product of the
// same numbers in float32, rounded.
func TestGemmBetween(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, s := range [][3]int{{1, 1, 1}, {5, 32, 31}, {3, 48, 64}, {16, 64, 32}, {14, 64, 96}, {29, 33, 65}, {61, 80, 320}, {131, 96, 80}, {300, 70, 40}, {15, 4200, 33}, {3, 0, 4}, {0, 4, 4}} {
			m, k, n := s[0], s[1], s[2]
			rng := rand.New(rand.NewPCG(uint64(m), uint64(k)))
			var w Packed
			w.Pack(fenced(rng, k, n, true), BF16)
			bias, _ := fencedSlice(rng, n)
			a, checkA := fencedRounded(rng, m, k)
			added, checkAdded := fencedRounded(rng, m, n)
			for e, ep := range []Epilogue{{}, {Bias: bias}, {Bias: bias, Act: ReLU}, {Positive: true}, {Bias: bias, Act: QuickGELU}, {Act: ReLU, Positive: true}} {
				for _, joined := range []bool{false, true} {
					plain, between := ep, ep
					if joined {
						residual := Mat(numbersOf(added), m, n)
						plain.Residual, between.Rounded = &residual, added
					}
					want := make([]float32, m*n)
					Gemm(Mat(want, m, n), Mat(numbersOf(a), m, k), &w, &plain)
					onWorkers(func() {
						got, check := fencedRounded(rng, m, n)
						GemmBetween(got, a, &w, &between)
						check(t)
						if k > 0 && !same(numbersOf(got), got.rounds(want)) {
							t.Fatalf("%v, epilogue %d, residual %v: the rounded result differs", s, e, joined)
						}
						floats := make([]float32, m*n)
						MulRounded(Mat(floats, m, n), a, &w, &between)
						if !same(floats, want) {
							t.Fatalf("%v, epilogue %d, residual %v: the result differs", s, e, joined)
						}
						clear(floats)
						Gemm(Mat(floats, m, n), Mat(numbersOf(a), m, k), &w, &between)
						if !same(floats, want) {
							t.Fatalf("%v, epilogue %d, residual %v: from numbers the result differs", s, e, joined)
						}
						GemmRounded(got, Mat(numbersOf(a), m, k), &w, &between)
						check(t)
						if k > 0 && !same(numbersOf(got), got.rounds(want)) {
							t.Fatalf("%v, epilogue %d, residual %v: from numbers the rounded result differs", s, e, joined)
						}
					})
				}
			}
			checkA(t)
			checkAdded(t)
		}
	})
}

// same tells whether two slices hold the same numbers, a zero being one whatever its sign.
func same(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return x == y })
}

// TestGemmBetweenInPlace: a result may take the place of the residual.
func TestGemmBetweenInPlace(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(8, 8))
		const m, k, n = 45, 70, 96
		var w Packed
		w.Pack(fenced(rng, k, n, false), BF16)
		a, _ := fencedRounded(rng, m, k)
		x, check := fencedRounded(rng, m, n)
		var want Rounded
		GemmBetween(&want, a, &w, &Epilogue{Rounded: x, Positive: true})
		GemmBetween(x, a, &w, &Epilogue{Rounded: x, Positive: true})
		check(t)
		if !same(numbersOf(x), numbersOf(&want)) {
			t.Error("in place of the residual the result differs")
		}
	})
}

// TestAvgPool2 holds pooling of rounded images against that of their numbers, for all four combinations.
func TestAvgPool2(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, s := range [][4]int{{1, 2, 2, 1}, {3, 4, 6, 80}, {2, 5, 7, 33}, {1, 1, 4, 16}, {2, 18, 18, 64}} {
			n, h, w, c := s[0], s[1], s[2], s[3]
			rng := rand.New(rand.NewPCG(uint64(h), uint64(c)))
			x, _ := fencedRounded(rng, n*h*w, c)
			want := make([]float32, n*(h/2)*(w/2)*c)
			AvgPool(want, numbersOf(x), n, h, w, c, 2)
			for _, from := range []Pixels{{Rounded: x}, {Floats: numbersOf(x)}} {
				y, check := fencedRounded(rng, n*(h/2)*(w/2), c)
				AvgPool2(Pixels{Rounded: y}, from, n, h, w, c)
				check(t)
				if !same(numbersOf(y), y.rounds(want)) {
					t.Errorf("%v: the rounded result differs", s)
				}
				floats, checkFloats := fencedSlice(rng, len(want))
				AvgPool2(Pixels{Floats: floats}, from, n, h, w, c)
				checkFloats(t)
				if !same(floats, want) {
					t.Errorf("%v: the result differs", s)
				}
			}
		}
	})
}

// TestConv2DWinogradRounded holds the convolution of rounded images, in each combination with numbers and in each format of
// weights, against its definition in float64, and an image alone against the same in a batch, bit for bit.
func TestConv2DWinogradRounded(t *testing.T) {
	for _, f := range []struct {
		n int
		c Conv
	}{
		{1, Conv{9, 9, 32, 3, 3, 1, 1, 64}},
		{2, Conv{9, 10, 80, 3, 3, 1, 1, 80}},  // half a group left
		{2, Conv{5, 8, 33, 3, 3, 1, 0, 40}},   // not padded
		{1, Conv{3, 3, 40, 3, 3, 1, 0, 100}},  // one pixel
		{2, Conv{1, 1, 64, 3, 3, 1, 1, 20}},   // one pixel of one
		{1, Conv{4, 3, 20, 3, 3, 1, 3, 16}},   // kernels that lie in the padding
		{1, Conv{27, 23, 33, 3, 3, 1, 1, 35}}, // several blocks
		{0, Conv{4, 4, 16, 3, 3, 1, 1, 16}},   // nothing
	} {
		t.Run(fmt.Sprint(f.n, f.c), func(t *testing.T) {
			eachISA(t, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(7, 8))
				c := f.c
				oh, ow := c.OutSize()
				rows := f.n * oh * ow
				x, checkX := fencedRounded(rng, f.n*c.H*c.W, c.C)
				numbers := numbersOf(x)
				bias, _ := fencedSlice(rng, c.Out)
				w := fenced(rng, c.Out, c.depth(), false)
				want, size := make([]float64, rows*c.Out), make([]float64, rows*c.Out)
				c.reference(f.n, func(i, j, k int) {
					v := float64(numbers[j]) * float64(w.at(k/c.depth(), k%c.depth()))
					want[i] += v
					size[i] += math.Abs(v)
				})
				for _, form := range []Format{F32, BF16} {
					parts := make([]*Packed, winogradPlaces)
					for i := range parts {
						parts[i] = new(Packed)
					}
					PackWinograd(parts, w, c, form)
					for _, from := range []Pixels{{Rounded: x}, {Floats: numbers}} {
						for _, act := range []Activation{ReLU, None} {
							y, check := fencedRounded(rng, rows, c.Out)
							onWorkers(func() {
								Conv2DWinograd(Pixels{Rounded: y}, from, f.n, c, parts, bias, act)
								check(t)
								checkX(t)
								for i, v := range numbersOf(y) {
									wanted := want[i] + float64(bias[i%c.Out])
									if act == ReLU {
										wanted = max(wanted, 0)
									}
									if d := math.Abs(float64(v) - wanted); d > 8e-3*(size[i]+1) || math.IsNaN(d) {
										t.Fatalf("%v: element %d is %v, want %v", form, i, v, wanted)
									}
								}
							})
							if used := c.Out % 32; !y.plain && used > 0 {
								for i := range rows { // what fills groups must be zero: products take it
									var group [32]float32
									y.get(group[:], i, c.Out-used)
									if slices.ContainsFunc(group[used:], func(v float32) bool { return v != 0 }) {
										t.Fatalf("%v: row %d is not filled up with zeros", form, i)
									}
								}
							}
							floats, checkFloats := fencedSlice(rng, rows*c.Out)
							Conv2DWinograd(Pixels{Floats: floats}, from, f.n, c, parts, bias, act)
							checkFloats(t)
							if f.n < 2 {
								continue
							}
							each, pixels := rows/f.n, c.H*c.W
							alone, _ := fencedRounded(rng, each, c.Out)
							one, _ := fencedRounded(rng, pixels, c.C)
							setRounded(one, numbers[(f.n-1)*pixels*c.C:])
							last := Pixels{Rounded: one}
							if from.Rounded == nil {
								last = Pixels{Floats: numbers[(f.n-1)*pixels*c.C:]}
							}
							Conv2DWinograd(Pixels{Rounded: alone}, last, 1, c, parts, bias, act)
							if !same(numbersOf(alone), numbersOf(y)[(f.n-1)*each*c.Out:]) {
								t.Errorf("%v: the last image alone differs from itself in the batch", form)
							}
						}
					}
				}
			})
		})
	}
}

// TestPixelsAllocateNothing: a steady state makes no garbage.
func TestPixelsAllocateNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	c := Conv{10, 10, 64, 3, 3, 1, 1, 64}
	parts := make([]*Packed, winogradPlaces)
	for i := range parts {
		parts[i] = new(Packed)
	}
	PackWinograd(parts, fenced(rng, 64, 9*64, false), c, BF16)
	x, _ := fencedRounded(rng, 100, 64)
	y, _ := fencedRounded(rng, 100, 64)
	half, _ := fencedRounded(rng, 25, 64)
	var w Packed
	w.Pack(fenced(rng, 64, 64, false), BF16)
	bias, _ := fencedSlice(rng, 64)
	ep := &Epilogue{Bias: bias, Rounded: x, Positive: true}
	noAllocs(t, "a convolution, a pooling and a product of rounded images", func() {
		Conv2DWinograd(Pixels{Rounded: y}, Pixels{Rounded: x}, 1, c, parts, bias, ReLU)
		AvgPool2(Pixels{Rounded: half}, Pixels{Rounded: y}, 1, 10, 10, 64)
		GemmBetween(y, x, &w, ep)
	})
}
