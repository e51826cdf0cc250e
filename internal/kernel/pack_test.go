package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Every format's panels, element by element, against the layouts Packed documents; the deepest is more than is rounded at once.
func TestPack(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		var p Packed // reused, so that old content must not shine through
		for _, s := range [][2]int{{1, 1}, {2, 31}, {3, 32}, {31, 33}, {129, 64}, {130, 65}, {257, 97}, {64, 301}, {801, 37}} {
			for _, trans := range []bool{false, true} {
				rng := rand.New(rand.NewPCG(uint64(s[0]), uint64(s[1])))
				b := fenced(rng, s[0], s[1], trans)
				for _, f := range allFormats {
					t.Run(fmt.Sprint(s, trans, f), func(t *testing.T) {
						p.Pack(b, f)
						for j := range (s[1] + 31) &^ 31 {
							checkPanelColumn(t, &p, b, j)
						}
					})
				}
			}
		}
	})
}

func checkPanelColumn(t *testing.T, p *Packed, b Matrix, j int) {
	t.Helper()
	var most float32
	for k := range b.Rows {
		if j < b.Cols {
			most = max(most, float32(math.Abs(float64(b.at(k, j)))))
		}
	}
	for k := range p.kp {
		var x float32
		if k < b.Rows && j < b.Cols {
			x = b.at(k, j)
		}
		at := k*panelCols + j%panelCols
		switch {
		case p.format == F32:
			if got := p.floats(j / panelCols)[at]; got != x {
				t.Fatalf("element (%d, %d) is %v, want %v", k, j, got, x)
			}
		case p.format == Int8:
			q, scale := float64(p.bytes(j / panelCols)[at]), float64(p.scale[j])
			if e := math.Abs(q*scale - float64(x)); e > 0.5001*float64(most)/127 {
				t.Fatalf("element (%d, %d) is %v·%v, want %v", k, j, q, scale, x)
			}
		default:
			if at = k/2*64 + j%32*2 + k%2; isa == AMX && p.format != BF16W {
				at = j%32/16*p.kp*16 + k/2*32 + j%16*2 + k%2
			}
			for q := range p.format.planes() {
				want := bf16Of(x)
				if got := p.plane(q, j/panelCols)[at]; got != want {
					t.Fatalf("plane %d, element (%d, %d) is %x, want %x", q, k, j, got, want)
				}
				x -= f32OfBF16(want)
			}
		}
	}
}

// Subnormals, infinities and NaNs survive, or turn into what Pack says.
func TestPackSpecial(t *testing.T) {
	inf := float32(math.Inf(1))
	eachISA(t, func(t *testing.T) {
		for _, x := range []float32{0, 1e-40, -1e-45, 3e38, inf, -inf, float32(math.NaN())} {
			b := Mat([]float32{1, x, 2, -3}, 2, 2)
			c := Mat(make([]float32, 2), 1, 2)
			for _, f := range allFormats {
				var p Packed
				p.Pack(b, f)
				Gemm(c, Mat([]float32{1, 1}, 1, 2), &p, nil)
				if c.V[0] != 3 && math.Abs(float64(c.V[0])-3) > 0.02 {
					t.Errorf("%v: the column beside %v sums to %v, want 3", f, x, c.V[0])
				}
				if finite, got := x-x == 0, c.V[1]-c.V[1] == 0; finite != got {
					t.Errorf("%v: %v - 3 = %v", f, x, c.V[1])
				}
			}
		}
	})
}

// A tile's rows lie end to end: nothing outside them may be written, however few elements a row has.
func TestPackTiles(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for n := 1; n <= tileRows(); n++ {
			for _, depth := range []int{1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33} {
				for _, across := range []bool{false, true} {
					rng := rand.New(rand.NewPCG(uint64(n), uint64(depth)))
					src, dst := fenced(rng, depth, n, across), newGuarded(n*depth, 0)
					if across {
						packAcross(dst.v, n, src.V, src.Stride, n, depth)
					} else {
						packAlong(dst.v, n, src.V, src.Stride, n, depth)
					}
					for i, x := range dst.v {
						if want := src.at(i/n, i%n); x != want {
							t.Fatalf("n=%d depth=%d across=%v: element %d is %v, want %v", n, depth, across, i, x, want)
						}
					}
					dst.check(t, fmt.Sprintf("n=%d depth=%d across=%v", n, depth, across))
				}
			}
		}
	})
}

func TestColSum(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for _, s := range [][2]int{{0, 3}, {1, 1}, {63, 31}, {65, 256}, {129, 257}, {7, 1031}} {
			for trans := range 2 {
				rng := rand.New(rand.NewPCG(uint64(s[0]), uint64(s[1])))
				a, dst := fenced(rng, s[0], s[1], trans == 1), fenced(rng, 1, s[1], false)
				for _, accumulate := range []bool{false, true, true} {
					want := make([]float64, s[1])
					for j := range want {
						if accumulate {
							want[j] = float64(dst.at(0, j))
						}
						for i := range s[0] {
							want[j] += float64(a.at(i, j))
						}
					}
					ColSum(dst.V[:s[1]], a, accumulate)
					for j, w := range want {
						if got := float64(dst.at(0, j)); math.Abs(got-w) > 1e-4 {
							t.Fatalf("%v trans=%d column %d: %v, want %v", s, trans, j, got, w)
						}
					}
				}
				checkFences(t, dst)
			}
		}
	})
}

func TestParsePrecision(t *testing.T) {
	for _, p := range []Precision{Float32, High, BFloat16} {
		if got, err := ParsePrecision(p.String()); got != p || err != nil {
			t.Errorf("ParsePrecision(%q) = %v, %v", p, got, err)
		}
	}
	if _, err := ParsePrecision("half"); err == nil {
		t.Error("ParsePrecision(half) succeeded")
	}
}

// TestPackPart: an operand that comes in parts is packed as one that is there at once.
func TestPackPart(t *testing.T) {
	for _, f := range []Format{F32, BF16, BF16x2, BF16x3, BF16W, Int8} {
		for _, s := range [][3]int{{1, 1, 32}, {7, 33, 32}, {33, 100, 32}, {130, 257, 64}, {64, 64, 96}, {0, 40, 32}} {
			k, n, step := s[0], s[1], s[2]
			rows := make([]float32, n*k)
			for i := range rows {
				rows[i] = float32(i%251) - 125.3
			}
			var whole, parts Packed
			whole.Pack(Mat(rows, n, k).T(), f)
			for at := 0; at < n; at += step {
				m := min(step, n-at)
				parts.PackPart(Mat(rows[at*k:(at+m)*k], m, k).T(), at, n, f)
			}
			if parts.Depth() != k || parts.Cols() != n || !slices.EqualFunc(whole.mem, parts.mem, sameBits) || !slices.EqualFunc(whole.scale, parts.scale, sameBits) {
				t.Errorf("%v %v: the parts are packed in another way", f, s)
			}
		}
	}
}

func sameBits(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }
