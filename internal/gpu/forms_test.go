package gpu_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/gpu"
)

// upload brings numbers of any type to a device, in a buffer just as long.
func upload[T float32 | uint16 | int8](b *bench, v []T, size int) gpu.Ptr {
	b.t.Helper()
	p, err := b.dev.Alloc(max(1, len(v)*size))
	b.must(err)
	b.must(gpu.Upload(b.dev, p, v))
	return p
}

// forms are a matrix in float32, alone in bfloat16, and alone in int8 with a scale a row or a column, and the numbers that the last two stand for.
func forms(b *bench, v []float32, rows, cols int, byRow bool) (ms map[string]gpu.Matrix, stands map[string][]float32) {
	n := cols
	if byRow {
		n = rows
	}
	scales := make([]float32, n)
	at := func(i int) int {
		if byRow {
			return i / cols
		}
		return i % cols
	}
	for i, x := range v {
		scales[at(i)] = max(scales[at(i)], float32(math.Abs(float64(x)))/127)
	}
	half, bytes, fromHalf, fromBytes := make([]uint16, len(v)), make([]int8, len(v)), make([]float32, len(v)), make([]float32, len(v))
	for i, x := range v {
		half[i] = uint16(math.Float32bits(x) >> 16)
		fromHalf[i] = math.Float32frombits(uint32(half[i]) << 16)
		if s := scales[at(i)]; s > 0 {
			bytes[i] = int8(math.RoundToEven(float64(x / s)))
		}
		fromBytes[i] = float32(bytes[i]) * scales[at(i)]
	}
	m := gpu.Matrix{Rows: rows, Cols: cols, Stride: cols}
	f, h, q := m, m, m
	f.Ptr, h.Half = upload(b, v, 4), upload(b, half, 2)
	q.Int8, q.Scales, q.ByRow = upload(b, bytes, 1), upload(b, scales, 4), byRow
	return map[string]gpu.Matrix{"float32": f, "bfloat16": h, "int8": q}, map[string][]float32{"float32": v, "bfloat16": fromHalf, "int8": fromBytes}
}

// A weight may be there in one form alone, also part of its rows: few rows read it as it is, many too where bfloat16 is what they
// multiply, and else it is widened. All agree with the product of the numbers that the form stands for.
func TestWeightForms(t *testing.T) {
	for _, trans := range []bool{false, true} {
		for _, s := range [][3]int{{1, 1, 1}, {3, 37, 41}, {8, 64, 128}, {5, 129, 7}, {7, 72, 264}, {9, 33, 40}, {67, 40, 36}} {
			m, n, k := s[0], s[1], s[2]
			rows, cols := k, n
			if trans {
				rows, cols = n, k
			}
			b := open(t)
			xv, wv, bias := b.random(m*k), b.random(rows*cols), b.random(n)
			x, at := b.dense(xv, m, k), b.dense(bias, 1, n)
			ms, stands := forms(b, wv, rows, cols, trans)
			for form, w := range ms {
				for _, mode := range []gpu.Mode{gpu.Float32, gpu.TF32x3, gpu.BFloat16} {
					c := b.zeros(m, n)
					b.rec.Forget()
					b.must(b.dev.Gemm(c, x, false, w, trans, mode, gpu.Epilogue{Bias: at}))
					got := b.down(c)
					names := strings.Join(b.rec.Launches(), " ")
					want := make([]float32, m*n)
					for i := range want {
						sum := float64(bias[i%n])
						for l := range k {
							j := l*cols + i%n
							if trans {
								j = i%n*cols + l
							}
							sum += float64(xv[i/n*k+l]) * float64(stands[form][j])
						}
						want[i] = float32(sum)
					}
					near := 2e-6
					if mode == gpu.BFloat16 && m > 8 {
						near = 1e-2
					}
					bytes := form == "int8"
					if bytes && m > 8 {
						near = 2e-6 // the left operand is not rounded
					}
					widens := m > 8 && form == "bfloat16" && mode != gpu.BFloat16
					if strings.Contains(names, "widen") != widens || strings.Contains(names, "_int8") != bytes {
						t.Errorf("%s %v %v: %s", form, mode, s, names)
					}
					b.compare(fmt.Sprint(form, mode, s, trans), got, want, near)
				}
			}
		}
	}
}

// Many rows by int8 are as exact as float32 in small tiles and in large ones, numbers of very different sizes included, and ask no bank of
// shared memory twice; a residual may be the result.
func TestGemmInt8(t *testing.T) {
	for _, large := range []int{1, 1 << 30} {
		gpu.SetLargeTiles(t, large)
		for _, trans := range []bool{false, true} {
			for _, s := range [][3]int{{131, 137, 67}, {72, 80, 64}, {9, 5, 1}, {40, 132, 260}} {
				m, n, k := s[0], s[1], s[2]
				rows, cols := k, n
				if trans {
					rows, cols = n, k
				}
				b := open(t)
				banks := b.count()
				xv := b.random(m * k)
				for i := range xv {
					xv[i] *= float32(math.Exp2(float64(i%25 - 12)))
				}
				ms, stands := forms(b, b.random(rows*cols), rows, cols, trans)
				cv := b.random(m * n)
				c := b.dense(cv, m, n)
				b.must(b.dev.Gemm(c, b.dense(xv, m, k), false, ms["int8"], trans, gpu.TF32x3, gpu.Epilogue{Residual: c}))
				got := b.down(c)
				if name := b.rec.Launches()[0]; strings.Contains(name, "_large") != (large == 1) || !strings.HasPrefix(name, "gemm_int8") {
					t.Errorf("%s", name)
				}
				for i := range got {
					var sum, na, nb float64
					for l := range k {
						j := l*cols + i%n
						if trans {
							j = i%n*cols + l
						}
						x, y := float64(xv[i/n*k+l]), float64(stands["int8"][j])
						sum, na, nb = sum+x*y, na+x*x, nb+y*y
					}
					sum += float64(cv[i])
					if d := math.Abs(float64(got[i]) - sum); !(d <= 1e-6*(math.Sqrt(na*nb)+math.Abs(sum)+1)) {
						t.Fatalf("%v, transposed %v, number %d: %g, want %g", s, trans, i, got[i], sum)
					}
				}
				for _, c := range banks.Conflicts() {
					t.Error(c)
				}
			}
		}
	}
}

// Long sums of positive numbers, which tensor cores cut off at every step, are as exact as short ones wherever that is promised.
func TestLongSums(t *testing.T) {
	const m, n, k = 9, 4, 1500
	b := open(t)
	positive := func(n int) []float32 {
		v := b.random(n)
		for i := range v {
			v[i] = 1 + float32(math.Abs(float64(v[i])))
		}
		return v
	}
	xv := positive(m * k)
	ms, stands := forms(b, positive(k*n), k, n, false)
	for _, form := range []string{"float32", "int8"} {
		c := b.zeros(m, n)
		b.must(b.dev.Gemm(c, b.dense(xv, m, k), false, ms[form], false, gpu.TF32x3, gpu.Epilogue{}))
		want := make([]float32, m*n)
		for i := range want {
			var sum float64
			for l := range k {
				sum += float64(xv[i/n*k+l]) * float64(stands[form][l*n+i%n])
			}
			want[i] = float32(sum)
		}
		b.check(form, c, want, 1e-6)
	}
}

// In ordinary arithmetic int8 is to the bit what the numbers that it stands for are, whichever way its scales go, as in a gradient.
func TestGemmInt8InFloat32(t *testing.T) {
	for form := range 4 {
		trans, byRow := form&1 != 0, form&2 != 0
		for _, s := range [][3]int{{131, 137, 67}, {72, 80, 64}, {9, 5, 1}, {40, 132, 33}} {
			m, n, k := s[0], s[1], s[2]
			rows, cols := k, n
			if trans {
				rows, cols = n, k
			}
			b := open(t)
			ms, stands := forms(b, b.random(rows*cols), rows, cols, byRow)
			x, r := b.dense(b.random(m*k), m, k), b.dense(b.random(m*n), m, n)
			got, want := b.zeros(m, n), b.zeros(m, n)
			b.rec.Forget()
			b.must(b.dev.Gemm(got, x, false, ms["int8"], trans, gpu.Float32, gpu.Epilogue{Residual: r, Act: gpu.GELUTanh}))
			b.must(b.dev.Gemm(want, x, false, b.dense(stands["int8"], rows, cols), trans, gpu.Float32, gpu.Epilogue{Residual: r, Act: gpu.GELUTanh}))
			b.check(fmt.Sprint(s, trans, byRow), got, b.down(want), 0)
			if names := b.rec.Launches(); len(names) != 2 || !strings.HasSuffix(names[0], "_int8") {
				t.Errorf("%v", names)
			}
		}
	}
}

// Rows of a table are gathered from every form, and parts of it multiplied by, as the loss and the search over the vocabulary do.
func TestTableForms(t *testing.T) {
	b := open(t)
	const vocab, dim, rows = 301, 24, 3
	xv, ev := b.random(rows*dim), b.random(vocab*dim)
	ms, stands := forms(b, ev, vocab, dim, true)
	x, idx := b.dense(xv, rows, dim), b.ints(300, -1, 7)
	for form, e := range ms {
		want := b.dense(stands[form], vocab, dim)
		for _, mode := range []gpu.Mode{gpu.Float32, gpu.BFloat16} {
			got, exact := b.zeros(rows, 9), b.zeros(rows, 9)
			b.must(b.dev.Top(got, x, e, 4, 1, mode))
			b.must(b.dev.Top(exact, x, want, 4, 1, gpu.Float32))
			b.check(form+": top", got, b.down(exact), 1e-5)
		}
		for _, add := range []bool{false, true} {
			got, exact := b.dense(xv, rows, dim), b.dense(xv, rows, dim)
			b.dev.Gather(got, e, idx, rows, add)
			b.dev.Gather(exact, want, idx, rows, add)
			b.check(form+": rows", got, b.down(exact), 0)
		}
		for _, part := range []int{0, 130} {
			loss := func(e gpu.Matrix) (gpu.Matrix, gpu.Matrix) {
				l, dx := b.zeros(1, 1), b.zeros(rows, dim)
				b.must(b.dev.CrossEntropy(&gpu.CrossEntropy{X: x, Embed: e, Targets: idx, Loss: l, DX: dx, Mode: gpu.Float32, Part: part}))
				return l, dx
			}
			l, dx := loss(e)
			wl, wx := loss(want)
			b.check(form+": loss", l, b.down(wl), 1e-5)
			b.check(form+": gradient", dx, b.down(wx), 1e-5)
		}
	}
}

// A convolution's weight may be there in bfloat16 alone.
func TestConvForms(t *testing.T) {
	b := open(t)
	const n, c, out = 7, 4, 9
	x := b.dense(b.random(n*n*c), n*n, c)
	ms, stands := forms(b, b.random(out*9*c), out, 9*c, true)
	for form, w := range ms {
		for mode, near := range map[gpu.Mode]float64{gpu.Float32: 1e-5, gpu.TF32x3: 1e-5, gpu.BFloat16: 2e-2} {
			g := gpu.Conv{Images: 1, H: n, W: n, C: c, Kernel: 3, Stride: 1, Pad: 1, Mode: mode}
			got, want := b.zeros(n*n, out), b.zeros(n*n, out)
			b.must(b.dev.Conv2D(got, x, w, g, gpu.Epilogue{}))
			g.Mode = gpu.Float32
			b.must(b.dev.Conv2D(want, x, b.dense(stands[form], out, 9*c), g, gpu.Epilogue{}))
			b.check(form+" "+mode.String(), got, b.down(want), near)
		}
	}
}

// Where there is no room to widen a weight the run that wanted it ends with that error, and nothing of it was launched.
func TestNoRoomToWiden(t *testing.T) {
	b := open(t)
	ms, _ := forms(b, b.random(64), 8, 8, false)
	x, c := b.dense(b.random(72), 9, 8), b.zeros(9, 8)
	b.rec.Forget()
	b.rec.Fail = func(call string, _ int) error {
		if call == "Alloc" {
			return gpu.ErrMemory
		}
		return nil
	}
	_ = b.dev.Gemm(c, x, false, ms["bfloat16"], false, gpu.Float32, gpu.Epilogue{})
	if err := b.dev.Sync(); err == nil || !strings.Contains(err.Error(), "wanted") || b.rec.Count("Launch") > 0 {
		t.Errorf("%v after %d launches", err, b.rec.Count("Launch"))
	}
	b.rec.Fail = nil
	b.must(b.dev.Gemm(c, x, false, ms["bfloat16"], false, gpu.Float32, gpu.Epilogue{}))
	b.must(b.dev.Sync())
}
