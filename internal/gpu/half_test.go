package gpu_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/gpu"
)

// coarse are random numbers that bfloat16 holds.
func (b *bench) coarse(n int) []float32 {
	v := b.random(n)
	for i, x := range v {
		v[i] = math.Float32frombits(math.Float32bits(x) &^ 0xffff)
	}
	return v
}

// half brings such numbers to the device in bfloat16, with rows stride apart and the last cut short.
func (b *bench) half(v []float32, rows, cols, stride int) gpu.Matrix {
	b.t.Helper()
	n := 0
	if rows > 0 {
		n = (rows-1)*stride + cols
	}
	words := make([]uint16, n)
	for i := range words {
		words[i] = uint16(math.Float32bits(v[i]) >> 16)
	}
	return gpu.Matrix{Half: upload(b, words, 2), Rows: rows, Cols: cols, Stride: stride}
}

// either is half or up.
func (b *bench) either(half bool, v []float32, rows, cols, stride int) gpu.Matrix {
	b.t.Helper()
	if half {
		return b.half(v, rows, cols, stride)
	}
	return b.up(v, rows, cols, stride)
}

// numbers reads a matrix in either form.
func (b *bench) numbers(m gpu.Matrix) []float32 {
	b.t.Helper()
	if m.Half == 0 || m.Ptr != 0 {
		return b.down(m)
	}
	out := make([]float32, m.Rows*m.Cols)
	for i := range m.Rows {
		b.must(b.dev.Rows(out[i*m.Cols:][:m.Cols], m, i))
	}
	return out
}

// halves multiplies with what forms says in bfloat16: bit by bit the operands, the result, what is kept before the activation, and what
// the gradient's activation is of. It gives the names of the launches.
func halves(b *bench, forms int, transA, transB bool, m, n, k, extra int) string {
	b.t.Helper()
	is := func(bit int) bool { return forms>>bit&1 != 0 }
	ar, ac, br, bc := m, k, k, n
	if transA {
		ar, ac = ac, ar
	}
	if transB {
		br, bc = bc, br
	}
	as, bs, cs := ac+extra, bc+extra, n+extra
	av, bv, bias, grad := b.coarse(ar*as), b.coarse(br*bs), b.coarse(n), b.coarse(m*cs)
	zeros := make([]float32, m*cs)
	c, pre := b.either(is(2), zeros, m, n, cs), b.either(is(3), zeros, m, n, cs)
	e := gpu.Epilogue{Bias: b.dense(bias, 1, n), Pre: pre, Act: gpu.Tanh, GradOf: gpu.ReLU, GradPre: b.either(is(4), grad, m, n, cs)}
	if extra == 0 && is(4) {
		e.GradOf, e.GradPre = gpu.NoActivation, gpu.Matrix{} // as training has it: what is kept may be written first
	}
	b.rec.Forget()
	b.must(b.dev.Gemm(c, b.either(is(0), av, ar, ac, as), transA, b.either(is(1), bv, br, bc, bs), transB, gpu.BFloat16, e))
	b.must(b.dev.Flush())
	names := strings.Join(b.rec.Launches(), " ")
	gotC, gotPre := b.numbers(c), b.numbers(pre)
	for i := range m {
		for j := range n {
			s, size := float64(bias[j]), 0.0
			for l := range k {
				ai, bi := i*as+l, l*bs+j
				if transA {
					ai = l*as + i
				}
				if transB {
					bi = j*bs + l
				}
				x := float64(av[ai]) * float64(bv[bi])
				s, size = s+x, size+math.Abs(x)
			}
			// The operands are exact: float32's sums, and half a unit of bfloat16 for each rounding, of which cuBLASLt adds one before the bias.
			near := 1e-5 * (size + 1)
			if is(2) || is(3) {
				near += (math.Abs(s)+math.Abs(float64(bias[j])))/128 + 1e-6
			}
			if d := math.Abs(float64(gotPre[i*n+j]) - s); !(d <= near) {
				b.t.Fatalf("%05b (%d, %d): %g is kept, want %g", forms, i, j, gotPre[i*n+j], s)
			}
			want := math.Tanh(s)
			if e.GradOf == gpu.ReLU && grad[i*cs+j] <= 0 {
				want = 0
			}
			if d := math.Abs(float64(gotC[i*n+j]) - want); !(d <= near+math.Abs(want)/128) {
				b.t.Fatalf("%05b (%d, %d): %g, want %g", forms, i, j, gotC[i*n+j], want)
			}
		}
	}
	return names
}

// Products take and give bfloat16 in any place, at sizes that fill no tile, in small tiles and large ones, by our kernels and by cuBLASLt, and none
// asks a bank of shared memory twice.
func TestGemmHalf(t *testing.T) {
	sizes := [][4]int{{1, 1, 1, 0}, {9, 10, 33, 1}, {67, 71, 73, 0}, {72, 80, 64, 0}}
	if testing.Short() {
		sizes = sizes[:3]
	}
	for _, gemm := range []string{"ptx", "cublas"} {
		for large := range 2 {
			for trans, name := range []string{"nn", "tn", "nt"} {
				if gemm == "cublas" && large == 1 {
					continue
				}
				t.Run(fmt.Sprint(gemm, name, large), func(t *testing.T) {
					gpu.SetLargeTiles(t, []int{1 << 30, 1}[large])
					for forms := range 32 {
						if testing.Short() && !slices.Contains([]int{0, 1, 2, 3, 13, 22, 31}, forms) { // which are all kernels
							continue
						}
						b, banks := counted(t)
						if err := b.dev.UseGemm(gemm); err != nil {
							t.Skip(err)
						}
						for i, s := range append(sizes, [][4]int{{40, 72, 232, 0}, {35, 36, 165, 1}}...) { // the last deeper than the copies are ahead
							if i >= len(sizes) && (testing.Short() || gemm != "ptx" || forms&3 != 3 || forms>>2 != 0 && forms>>2 != 7) {
								continue
							}
							got := halves(b, forms, trans == 1, trans == 2, s[0], s[1], s[2], s[3])
							if want := "gemm_bfloat16_"; gemm == "ptx" && forms&1 != 0 {
								if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, []string{"_bf16l", "_bf16lr"}[forms>>1&1]) {
									t.Errorf("%05b %v: by %s", forms, s, got)
								}
							}
							if strings.Contains(got, "widen") {
								t.Errorf("%05b %v: %s", forms, s, got)
							}
						}
						for _, c := range banks.Conflicts() {
							t.Error(c)
						}
					}
				})
			}
		}
	}
}

// A left operand in bfloat16 is widened where a mode does not take it, or both operands are transposed.
func TestGemmWidensLeft(t *testing.T) {
	b := open(t)
	halves(b, 3, true, true, 9, 7, 5, 1)
	for _, m := range []int{3, 11} {
		for _, mode := range []gpu.Mode{gpu.Float32, gpu.TF32x3, gpu.TF32} {
			const n, k = 6, 10
			av, w := b.coarse(m*k), b.dense(b.coarse(k*n), k, n)
			got, want := b.zeros(m, n), b.zeros(m, n)
			b.must(b.dev.Gemm(got, b.half(av, m, k, k), false, w, false, mode, gpu.Epilogue{}))
			b.must(b.dev.Gemm(want, b.dense(av, m, k), false, w, false, mode, gpu.Epilogue{}))
			b.check(fmt.Sprint(mode, m), got, b.down(want), 0)
		}
	}
}

// What surrounds products reads and writes bfloat16: layer norm and its gradient, activations, sums of columns, and attention with its
// gradient. Results are those in float32, rounded; what is read is exact.
func TestRowsHalf(t *testing.T) {
	const half = 1.0 / 256
	for _, s := range [][3]int{{1, 1, 1}, {9, 37, 40}, {131, 64, 64}} {
		b := open(t)
		rows, cols, stride := s[0], s[1], s[2]
		x, dyv, gain, bias := b.up(b.random(rows*stride), rows, cols, stride), b.coarse(rows*stride), b.dense(b.random(cols), 1, cols), b.dense(b.random(cols), 1, cols)
		zeros := make([]float32, rows*stride)
		want, got := b.up(zeros, rows, cols, stride), b.half(zeros, rows, cols, stride)
		mean, rstd := b.zeros(1, rows), b.zeros(1, rows)
		b.dev.LayerNorm(want, x, gain, bias, 1e-5, mean, rstd)
		b.dev.LayerNorm(got, x, gain, bias, 1e-5, gpu.Matrix{}, gpu.Matrix{})
		b.compare("layer norm", b.numbers(got), b.down(want), half)
		var results [2][4][]float32
		for i := range results {
			dy := b.either(i == 1, dyv, rows, cols, stride)
			dx, dgain, dbias, sum := b.up(zeros, rows, cols, stride), b.zeros(1, cols), b.zeros(1, cols), b.zeros(1, cols)
			b.must(b.dev.LayerNormGrad(dx, dgain, dbias, dy, x, gain, mean, rstd))
			b.must(b.dev.ColSum(sum, dy))
			results[i] = [4][]float32{b.down(dx), b.down(dgain), b.down(dbias), b.down(sum)}
		}
		for i, what := range []string{"dx", "dgain", "dbias", "sum"} {
			b.compare(what, results[1][i], results[0][i], 0)
		}
		v := b.coarse(rows * cols)
		exact := b.zeros(rows, cols)
		b.dev.Activate(exact, b.dense(v, rows, cols), gpu.GELUTanh)
		for forms := range 4 {
			y := b.either(forms&1 != 0, make([]float32, rows*cols), rows, cols, cols)
			b.dev.Activate(y, b.either(forms&2 != 0, v, rows, cols, cols), gpu.GELUTanh)
			b.compare(fmt.Sprint("activation ", forms), b.numbers(y), b.down(exact), half*float64(forms&1))
		}
	}
}

// Attention and its gradient read and write bfloat16 in any place, in columns of wider matrices that begin on 16 bytes or nowhere in particular. It rounds
// operands anyway, so those that are so already change nothing, and results are rounded.
func TestAttentionHalf(t *testing.T) {
	const n, heads = 77, 2
	sizes, all := [][2]int{{7, 3}, {8, 0}, {64, 0}, {96, 8}}, []int{15, 0xff, 1, 2, 4, 8, 16, 32, 64, 128, 0xe7}
	if testing.Short() {
		sizes, all = sizes[:2], all[:2]
	}
	for _, s := range sizes { // the width of a head, and more columns of a row
		dim, cols := s[0], heads*s[0]
		stride := cols + s[1]
		b, banks := counted(t)
		values := make([][]float32, 4) // of q, k, v and the gradient
		for i := range values {
			values[i] = b.coarse(n * stride)
		}
		run := func(forms int) (made [4][]float32) { // bit by bit q, k, v, dout, out, dq, dk, dv
			b.t.Helper()
			put := func(bit int, v []float32) gpu.Matrix { return b.either(forms>>bit&1 != 0, v, n, cols, stride) }
			none := make([]float32, n*stride)
			a := &gpu.Attention{Q: put(0, values[0]), K: put(1, values[1]), V: put(2, values[2]), DOut: put(3, values[3]), Out: put(4, none), LSE: b.zeros(n, heads),
				QStarts: b.ints(0, 21, 58, 77), Sequences: 3, Heads: heads, Scale: 0.1, Causal: true, Mode: gpu.BFloat16,
				DQ: put(5, none), DK: put(6, none), DV: put(7, none)}
			a.KStarts = a.QStarts
			b.must(b.dev.Attention(a))
			b.must(b.dev.AttentionGrad(a))
			for i, m := range []gpu.Matrix{a.Out, a.DQ, a.DK, a.DV} {
				made[i] = b.numbers(m)
			}
			return made
		}
		want := run(0)
		for _, forms := range all {
			got := run(forms)
			for i, what := range []string{"attention", "dq", "dk", "dv"} {
				near := 1.0 / 256 * float64(forms>>(4+i)&1) // its own form
				if forms&16 != 0 && (i == 1 || i == 2) {
					near = 2e-2 // by way of what attention made
				}
				b.compare(fmt.Sprintf("%s, heads of %d, forms %08b", what, dim, forms), got[i], want[i], near)
			}
		}
		for _, c := range banks.Conflicts() {
			t.Error(c)
		}
	}
	b := open(t)
	x := func() gpu.Matrix { return b.half(make([]float32, 24), 3, 8, 8) }
	y := func() gpu.Matrix { return b.zeros(3, 8) }
	for _, a := range []*gpu.Attention{{Out: x(), Q: y(), K: y(), V: y()}, {Out: y(), Q: x(), K: y(), V: y()}, {Out: y(), Q: y(), K: y(), V: x()}} {
		a.LSE, a.QStarts, a.Sequences, a.Heads, a.Scale, a.Mode = b.zeros(3, 1), b.ints(0, 3), 1, 1, 1, gpu.TF32x3
		a.KStarts = a.QStarts
		if err := b.dev.Attention(a); err == nil {
			t.Error("attention in tf32x3 takes bfloat16")
		}
	}
}
