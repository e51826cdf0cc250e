package jpeg

import (
	"bytes"
	"errors"
	"image"
	stdjpeg "image/jpeg"
	"io"
	"math"
	"math/rand/v2"
	"testing"
)

// encoded is a photo-like image of the standard library's encoder, which subsamples 4:2:0, or gray.
func encoded(t testing.TB, w, h, quality int, color bool) []byte {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(w), uint64(h)))
	var m image.Image
	if color {
		c := image.NewRGBA(image.Rect(0, 0, w, h))
		for i := range c.Pix {
			c.Pix[i] = byte(128 + 100*math.Sin(float64(i%4)+float64(i/4%max(w, 1))/7) + r.Float64()*20)
		}
		m = c
	} else {
		g := image.NewGray(image.Rect(0, 0, w, h))
		for i := range g.Pix {
			g.Pix[i] = byte(i*i>>3) ^ byte(r.Uint32()&15)
		}
		m = g
	}
	var b bytes.Buffer
	if err := stdjpeg.Encode(&b, m, &stdjpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestAgainstTheStandardLibrary: another inverse transform may differ by rounding, all else must be equal.
func TestAgainstTheStandardLibrary(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {2, 3}, {7, 8}, {8, 8}, {9, 17}, {16, 16}, {31, 33}, {97, 61}} {
		for _, quality := range []int{1, 50, 100} {
			for _, color := range []bool{false, true} {
				data := encoded(t, size[0], size[1], quality, color)
				want, err := stdjpeg.Decode(bytes.NewReader(data))
				if err != nil {
					t.Fatal(err)
				}
				got, err := Decode(data)
				if err != nil {
					t.Fatalf("%v quality %d: %v", size, quality, err)
				}
				if w, h, err := Size(data); w != size[0] || h != size[1] || err != nil {
					t.Errorf("size %d×%d (%v), want %v", w, h, err, size)
				}
				compare := func(name string, p Plane, pix []byte, stride int) {
					for y := range p.Height {
						for x := range p.Width {
							a, b := int(p.Pix[y*p.Stride+x]), int(pix[y*stride+x])
							if max(a-b, b-a) > 2 {
								t.Fatalf("%v quality %d %s: sample (%d, %d) is %d, the standard library's is %d", size, quality, name, x, y, a, b)
							}
						}
					}
				}
				switch m := want.(type) {
				case *image.Gray:
					compare("gray", got.Planes[0], m.Pix, m.Stride)
				case *image.YCbCr:
					if got.Colors != YCbCr || got.Planes[1].X != 2 || got.Planes[1].Y != 2 {
						t.Fatalf("%+v, want YCbCr 4:2:0", got)
					}
					compare("luma", got.Planes[0], m.Y, m.YStride)
					compare("cb", got.Planes[1], m.Cb, m.CStride)
					compare("cr", got.Planes[2], m.Cr, m.CStride)
				}
			}
		}
	}
}

// TestTransform compares with the definition in float64, which the fixed point follows to within a unit.
func TestTransform(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for round := range 200 {
		var block [64]int32
		for range round%20 + 1 {
			block[r.IntN(64)] = r.Int32N(400) - 200
		}
		var want [64]float64
		for y := range 8 {
			for x := range 8 {
				s := 0.0
				for v := range 8 {
					for u := range 8 {
						c := float64(block[8*v+u]) / 4
						if u == 0 {
							c /= math.Sqrt2
						}
						if v == 0 {
							c /= math.Sqrt2
						}
						s += c * math.Cos(float64(2*x+1)*float64(u)*math.Pi/16) * math.Cos(float64(2*y+1)*float64(v)*math.Pi/16)
					}
				}
				want[8*y+x] = min(max(s+128, 0), 255)
			}
		}
		var out [8 * 9]byte
		transform(out[:], 9, &block)
		for i, w := range want {
			if d := math.Abs(float64(out[i/8*9+i%8]) - w); d > 1 {
				t.Fatalf("round %d: sample %d is %d, want %.2f", round, i, out[i/8*9+i%8], w)
			}
		}
	}
	for dc := int32(-2000); dc < 2000; dc += 7 {
		block := [64]int32{dc}
		var a, b [64]byte
		transform(a[:], 8, &block)
		flat(b[:], 8, dc)
		if a != b {
			t.Fatalf("mean %d: flat gives %d, the transform %d", dc, b[0], a[0])
		}
	}
}

// TestTransformForms: the assembly gives the plain form's bytes, also where sums leave the bytes far behind, and
// touches nothing around the block.
func TestTransformForms(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for round := range 3000 {
		var a [64]int32
		for range r.IntN(65) {
			a[r.IntN(64)] = r.Int32N(1<<(round%15+1)) - 1<<(round%15)
		}
		b := a
		var x, y [100]byte
		transform(x[3:], 11, &a)
		transformGo(y[3:], 11, &b)
		if x != y {
			t.Fatalf("round %d: the forms differ: %v and %v", round, x, y)
		}
	}
}

// TestDamaged: a cut file is an error that says so, a broken one never a panic.
func TestDamaged(t *testing.T) {
	data := encoded(t, 40, 30, 80, true)
	for n := range len(data) {
		if _, err := Decode(data[:n]); err == nil {
			t.Fatalf("the first %d of %d bytes were decoded", n, len(data))
		} else if n > len(data)/2 && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("the first %d of %d bytes: %v, want an unexpected end", n, len(data), err)
		}
	}
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		bad := bytes.Clone(data)
		for range 3 {
			bad[2+r.IntN(len(bad)-2)] = byte(r.Uint32())
		}
		if w, h, err := Size(bad); err == nil && w*h < 1<<20 {
			Decode(bad)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encoded(f, 17, 9, 70, true))
	f.Add(encoded(f, 9, 17, 70, false))
	f.Add([]byte("\xff\xd8\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		w, h, err := Size(data)
		if err != nil || w*h > 1<<16 {
			return
		}
		m, err := Decode(data)
		if err != nil {
			return
		}
		for _, p := range m.Planes {
			if len(p.Pix) < (p.Height-1)*p.Stride+p.Width {
				t.Errorf("%d bytes hold no %d×%d samples", len(p.Pix), p.Width, p.Height)
			}
		}
	})
}
