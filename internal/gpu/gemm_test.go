package gpu_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/gpu"
	"github.com/clipcap-go/clipcap/internal/gpu/ptxsim"
)

// tolerance is a product's error as a share of |row|·|column|.
var tolerance = map[gpu.Mode]float64{gpu.Float32: 1e-6, gpu.TF32x3: 1e-6, gpu.BFloat16: 8e-3, gpu.TF32: 1e-3}

// product multiplies random matrices on the device, with everything an epilogue has, and compares with float64.
func product(b *bench, mode gpu.Mode, transA, transB bool, m, n, k, extra int) {
	b.t.Helper()
	ar, ac, br, bc := m, k, k, n
	if transA {
		ar, ac = ac, ar
	}
	if transB {
		br, bc = bc, br
	}
	as, bs, cs := ac+extra, bc+extra, n+extra
	av, bv, bias, grad, res := b.random(ar*as), b.random(br*bs), b.random(n), b.random(m*cs), b.random(m*cs)
	c := b.up(make([]float32, m*cs), m, n, cs)
	pre := b.up(make([]float32, m*cs), m, n, cs)
	e := gpu.Epilogue{Bias: b.dense(bias, 1, n), Pre: pre, Act: gpu.Tanh, GradOf: gpu.ReLU, GradPre: b.up(grad, m, n, cs), Residual: b.up(res, m, n, cs)}
	b.must(b.dev.Gemm(c, b.up(av, ar, ac, as), transA, b.up(bv, br, bc, bs), transB, mode, e))
	gotC, gotPre := b.down(c), b.down(pre)
	for i := range m {
		for j := range n {
			var s, na, nb float64
			for l := range k {
				ai, bi := i*as+l, l*bs+j
				if transA {
					ai = l*as + i
				}
				if transB {
					bi = j*bs + l
				}
				x, y := float64(av[ai]), float64(bv[bi])
				s, na, nb = s+x*y, na+x*x, nb+y*y
			}
			s += float64(bias[j])
			limit := tolerance[mode]*math.Sqrt(na*nb) + 1e-6*(1+math.Abs(s))
			if d := math.Abs(float64(gotPre[i*n+j]) - s); !(d <= limit) {
				b.t.Fatalf("(%d, %d): %g, want %g", i, j, gotPre[i*n+j], s)
			}
			want := math.Tanh(s)
			if grad[i*cs+j] <= 0 {
				want = 0
			}
			want += float64(res[i*cs+j])
			if d := math.Abs(float64(gotC[i*n+j]) - want); !(d <= limit+1e-6*(1+math.Abs(want))) {
				b.t.Fatalf("(%d, %d) after the epilogue: %g, want %g", i, j, gotC[i*n+j], want)
			}
		}
	}
}

// Products in every mode and transposition, at sizes that fill no tile, with rows that begin on 16 bytes and that do not.
func TestGemm(t *testing.T) {
	sizes := [][3]int{{0, 3, 2}, {3, 0, 2}, {3, 2, 0}, {1, 1, 1}, {9, 1, 1}, {7, 5, 3}, {8, 37, 41}, {13, 64, 31}, {64, 64, 32}, {67, 71, 73}, {16, 8, 100}}
	if testing.Short() {
		sizes = sizes[:7]
	}
	for mode := gpu.Float32; mode <= gpu.TF32; mode++ {
		for trans := range 4 {
			t.Run(fmt.Sprintf("%v/%02b", mode, trans), func(t *testing.T) {
				b := open(t)
				for _, s := range sizes {
					for _, extra := range []int{0, 3} {
						product(b, mode, trans&1 != 0, trans&2 != 0, s[0], s[1], s[2], extra)
					}
				}
			})
		}
	}
}

// The large tiles, of which there are three transpositions; the fourth falls back to small ones.
func TestGemmLargeTiles(t *testing.T) {
	if testing.Short() {
		t.Skip("large")
	}
	gpu.SetLargeTiles(t, 1)
	for _, mode := range []gpu.Mode{gpu.BFloat16, gpu.TF32, gpu.TF32x3} {
		for trans := range 4 {
			t.Run(fmt.Sprintf("%v/%02b", mode, trans), func(t *testing.T) {
				b := open(t)
				for _, s := range [][3]int{{9, 10, 3}, {131, 137, 67}, {128, 256, 128}} {
					product(b, mode, trans&1 != 0, trans&2 != 0, s[0], s[1], s[2], 1)
				}
				product(b, mode, trans&1 != 0, trans&2 != 0, 128, 128, 132, 0)
			})
		}
	}
}

// A NaN reaches every number that it is part of and no other, also the one that GPUs make.
func TestGemmKeepsNaN(t *testing.T) {
	for mode := gpu.Float32; mode <= gpu.TF32; mode++ {
		for _, nan := range []uint32{0x7fc00000, 0x7fffffff, 0xffffffff} {
			b := open(t)
			const m, n, k = 11, 9, 5
			x, c := b.random(m*k), b.zeros(m, n)
			x[3*k+2] = math.Float32frombits(nan)
			b.must(b.dev.Gemm(c, b.dense(x, m, k), false, b.dense(b.random(k*n), k, n), false, mode, gpu.Epilogue{}))
			for i, y := range b.down(c) {
				if (y != y) != (i/n == 3) {
					t.Fatalf("%v, %#x: number %d is %g", mode, nan, i, y)
				}
			}
		}
	}
}

// crowded is a device whose blocks have no more shared memory than on sm_86.
type crowded struct{ *ptxsim.Driver }

func (c crowded) Info() gpu.Info {
	i := c.Driver.Info()
	i.Shared = 99 << 10
	return i
}

// Where large tiles have no room small ones are taken.
func TestGemmWithoutRoomForLargeTiles(t *testing.T) {
	gpu.SetLargeTiles(t, 1)
	for _, mode := range []gpu.Mode{gpu.BFloat16, gpu.TF32} {
		b := on(t, crowded{ptxsim.NewDriver(1 << 26)})
		product(b, mode, false, false, 131, 137, 67, 1)
		if got := b.rec.Launches()[0]; strings.Contains(got, "large") != (mode == gpu.BFloat16) {
			t.Errorf("by %s", got)
		}
	}
}

// A residual may be the result itself.
func TestGemmAddsInPlace(t *testing.T) {
	b := open(t)
	for _, m := range []int{3, 11} {
		c := b.dense([]float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}[:m], m, 1)
		ones := make([]float32, 16)
		for i := range ones {
			ones[i] = 1
		}
		b.must(b.dev.Gemm(c, b.dense(ones, m, 1), false, b.dense(ones, 1, 1), false, gpu.Float32, gpu.Epilogue{Residual: c}))
		for i, x := range b.down(c) {
			if x != float32(i+2) {
				t.Errorf("row %d is %g, want %d", i, x, i+2)
			}
		}
	}
}
