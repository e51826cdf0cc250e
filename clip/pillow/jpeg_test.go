package pillow

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"os"
	"path/filepath"
	"testing"
)

// TestJPEGKinds: hashes of the RGB pixels that Pillow 13 with libjpeg-turbo 3.2 makes of small files of each kind.
func TestJPEGKinds(t *testing.T) {
	for name, want := range map[string]string{
		"progressive_420_restart.jpg": "35a5166b01c01032",
		"baseline_422_restart.jpg":    "5328fcfe274d5dde",
		"baseline_411.jpg":            "1ff45f9aa968977b",
		"cmyk.jpg":                    "1448869e5a60da1a",
		"rgb.jpg":                     "1448869e5a60da1a",
		"gray_progressive.jpg":        "b9f6124918c6254a",
	} {
		im, err := Open(filepath.Join("testdata", name), Options{})
		if err != nil {
			t.Error(err)
			continue
		}
		pix := im.converted().pix
		switch im.mode {
		case gray:
			pix = grayToRGB(pix)
		case cmyk:
			pix = inkToRGB(pix)
		}
		sum := sha256.Sum256(pix)
		if got := hex.EncodeToString(sum[:8]); got != want {
			t.Errorf("%s: pixels %s, want %s", name, got, want)
		}
	}
}

// TestUpsampleOddSizes holds every ratio and odd size against libjpeg's rules written out for one sample at a time.
func TestUpsampleOddSizes(t *testing.T) {
	for _, ratio := range []image.YCbCrSubsampleRatio{image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420,
		image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410} {
		for _, w := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 15, 16, 17, 31, 33, 34, 35, 36, 37, 64, 71} {
			for h := range 6 {
				m := image.NewYCbCr(image.Rect(0, 0, w, h), ratio)
				copy(m.Y, noise(len(m.Y), 1))
				copy(m.Cb, noise(len(m.Cb), 2))
				copy(m.Cr, noise(len(m.Cr), 3))
				im := fromYCbCr(m)
				for y := range h {
					for x := range w {
						l, u, v := int32(m.Y[y*m.YStride+x]), chromaAt(m, m.Cb, x, y), chromaAt(m, m.Cr, x, y)
						want := [3]byte{clip8(l + redOf[v]), clip8(l + (greenOfCb[u]+greenOfCr[v])>>16), clip8(l + blueOf[u])}
						if got := [3]byte(im.pix[3*(y*w+x):]); got != want {
							t.Fatalf("%v %d×%d pixel (%d, %d): %v, want %v", ratio, w, h, x, y, got, want)
						}
					}
				}
			}
		}
	}
}

// TestScratch: images of all kinds decoded one after the other in one Scratch are what each is alone.
// TestCutYCbCr: a part of a YCbCr image, from whatever place on, has the colours that it has in the whole.
func TestCutYCbCr(t *testing.T) {
	for ratio := image.YCbCrSubsampleRatio444; ratio <= image.YCbCrSubsampleRatio410; ratio++ {
		whole := image.NewYCbCr(image.Rect(0, 0, 40, 40), ratio)
		for i := range whole.Y {
			whole.Y[i] = byte(i * 7)
		}
		for i := range whole.Cb {
			whole.Cb[i], whole.Cr[i] = byte(i*31), byte(i*59)
		}
		for _, rect := range []image.Rectangle{image.Rect(9, 3, 24, 18), image.Rect(39, 39, 40, 40), image.Rect(5, 8, 13, 16), image.Rect(8, 5, 16, 13)} {
			part := whole.SubImage(rect).(*image.YCbCr)
			if fromYCbCr(part) != nil {
				continue // with libjpeg's interpolation of chroma, which looks across the edges of the part
			}
			got, err := FromImage(part).Square(rect.Dx())
			if err != nil {
				t.Fatal(err)
			}
			for i := range len(got) / 3 {
				r, g, b, _ := whole.At(rect.Min.X+i%rect.Dx(), rect.Min.Y+i/rect.Dx()).RGBA()
				if want := [3]byte{byte(r >> 8), byte(g >> 8), byte(b >> 8)}; [3]byte(got[3*i:]) != want {
					t.Fatalf("%v %v: pixel %d is %v, want %v", ratio, rect, i, got[3*i:3*i+3], want)
				}
			}
		}
		if _, err := FromImage(image.NewYCbCr(image.Rect(-3, -5, 8, 9), ratio)).Square(8); err != nil {
			t.Error(err)
		}
	}
}

func TestScratch(t *testing.T) {
	names, err := filepath.Glob("testdata/*.*")
	if err != nil || len(names) < 5 {
		t.Fatal(names, err)
	}
	var s Scratch
	for range 2 {
		for _, n := range []int{7, 224} {
			for _, name := range names {
				data, err := os.ReadFile(name)
				if err != nil {
					t.Fatal(err)
				}
				im, want := Decode(data, Options{})
				got, err := s.Squared(data, Options{}, n)
				if (err == nil) != (want == nil) {
					t.Errorf("%s: %v, alone %v", name, err, want)
				}
				if err != nil || want != nil {
					continue
				}
				pix, err := im.Square(n)
				if err != nil || !bytes.Equal(pix, got.pix) {
					t.Errorf("%s: square of %d differs (%v)", name, n, err)
				}
			}
		}
	}
}

// TestStrips: a JPEG that is converted some rows at a time becomes the square of its pixels, and so does a square of it.
func TestStrips(t *testing.T) {
	for _, size := range [][3]int{{1, 1, 2}, {5, 3, 7}, {64, 48, 17}, {101, 53, 16}, {53, 101, 53}, {300, 200, 224}, {97, 331, 5}, {900, 3, 4}, {224, 224, 224}, {31, 17, 17}} {
		for _, ratio := range []image.YCbCrSubsampleRatio{image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio420, image.YCbCrSubsampleRatio440} {
			w, h, n := size[0], size[1], size[2]
			m := image.NewYCbCr(image.Rect(0, 0, w, h), ratio)
			for i, pix := range [][]byte{m.Y, m.Cb, m.Cr} {
				copy(pix, noise(len(pix), uint64(i)))
			}
			planes := &Image{Width: w, Height: h, mode: rgb, planes: planesOf(m)}
			want, err := fromYCbCr(m).Square(n)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := planes.Square(n); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v %v: the square of the planes is another (%v)", size, ratio, err)
			}
			small, err := planes.Squared(n)
			if err != nil || small.Bytes() != 3*n*n {
				t.Fatalf("%v %v: %v, %d bytes", size, ratio, err, small.Bytes())
			}
			if got, err := small.Square(n); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v %v: the square of the square is another (%v)", size, ratio, err)
			}
			for o := range 9 {
				a, b := planes.orient(o).converted(), fromYCbCr(m).orient(o)
				if a.Width != b.Width || !bytes.Equal(a.pix, b.pix) {
					t.Errorf("%v %v: orientation %d of the planes is another", size, ratio, o)
				}
			}
		}
	}
}

func chromaAt(m *image.YCbCr, pix []byte, x, y int) byte {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	hx, vy := 1, 1
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		hx = 2
	case image.YCbCrSubsampleRatio420:
		hx, vy = 2, 2
	case image.YCbCrSubsampleRatio440:
		vy = 2
	case image.YCbCrSubsampleRatio411:
		hx = 4
	case image.YCbCrSubsampleRatio410:
		hx, vy = 4, 2
	}
	cw, ch := (w+hx-1)/hx, (h+vy-1)/vy
	cx, cy := x/hx, y/vy
	at := func(x, y int) int { return int(pix[y*m.CStride+x]) }
	ny := min(max(cy-1+y%2*2, 0), ch-1)
	if hx == 1 && vy == 2 {
		return byte((3*at(cx, cy) + at(cx, ny) + 1 + y%2) >> 2)
	}
	if hx != 2 || cw <= 2 {
		return byte(at(cx, cy))
	}
	col, shift, even, odd := func(i int) int { return at(i, cy) }, 2, 1, 2
	if vy == 2 {
		col, shift, even, odd = func(i int) int { return 3*at(i, cy) + at(i, ny) }, 4, 8, 7
	}
	switch nx := cx - 1 + x%2*2; {
	case nx < 0:
		return byte((4*col(cx) + even) >> shift)
	case nx >= cw:
		return byte((4*col(cx) + odd) >> shift)
	case x%2 == 0:
		return byte((3*col(cx) + col(nx) + even) >> shift)
	default:
		return byte((3*col(cx) + col(nx) + odd) >> shift)
	}
}

// TestColours: every luma with every chroma, by the processor's form of colourRow and by libjpeg's tables.
func TestColours(t *testing.T) {
	luma, cb, cr := make([]byte, 1<<16), make([]byte, 1<<16), make([]byte, 1<<16)
	for i := range luma {
		cb[i], cr[i] = byte(i>>8), byte(i)
	}
	dst := make([]byte, 3<<16)
	for y := range 256 {
		for i := range luma {
			luma[i] = byte(y)
		}
		colourRow(dst, 3, luma, cb, cr)
		for i, v := range cr {
			l, u := int32(y), cb[i]
			want := [3]byte{clip8(l + redOf[v]), clip8(l + (greenOfCb[u]+greenOfCr[v])>>16), clip8(l + blueOf[u])}
			if got := [3]byte(dst[3*i:]); got != want {
				t.Fatalf("luma %d, chroma %d %d: %v, want %v", y, u, v, got, want)
			}
		}
	}
}
