package pillow

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// slowSquare resizes gray by the definition: every output of the whole resized image, then the crop.
func slowSquare(pix []byte, w, h int, f frame) []byte {
	pass := func(src []byte, w, h, to int) []byte { // along the rows
		t := newTaps(w, to, 0, to)
		dst := make([]byte, to*h)
		for y := range h {
			for x := range to {
				acc := int32(1 << 21)
				for j := range t.count[x] {
					acc += int32(src[y*w+int(t.first[x]+j)]) * t.weight[x*t.most+int(j)]
				}
				dst[y*to+x] = byte(min(max(acc>>22, 0), 255))
			}
		}
		return dst
	}
	turn := func(src []byte, w, h int) []byte {
		dst := make([]byte, w*h)
		for y := range h {
			for x := range w {
				dst[x*h+y] = src[y*w+x]
			}
		}
		return dst
	}
	if f.w != w {
		pix = pass(pix, w, h, f.w)
	}
	if f.h != h {
		pix = turn(pass(turn(pix, f.w, h), h, f.w, f.h), f.h, f.w)
	}
	var out []byte
	for y := range f.n {
		for x := range f.n {
			c := pix[(f.y+y)*f.w+f.x+x]
			out = append(out, c, c, c)
		}
	}
	return out
}

func noise(n int, seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// TestSquareComputesTheCropOnly compares the square with a crop of the whole resized image, in every number of bands.
func TestSquareComputesTheCropOnly(t *testing.T) {
	for _, size := range [][3]int{{1, 1, 1}, {1, 1, 5}, {7, 3, 5}, {3, 7, 5}, {5, 5, 5}, {5, 9, 5}, {31, 47, 13}, {101, 53, 17}, {640, 11, 7}} {
		w, h, n := size[0], size[1], size[2]
		bands := [4][]byte{}
		for b := range bands {
			bands[b] = noise(w*h, uint64(b))
		}
		mix := func(m mode) *Image {
			im := newImage(m, w, h)
			for i := range w * h {
				for b := range m.bands() {
					im.pix[i*m.bands()+b] = bands[b][i]
				}
			}
			return im
		}
		im := mix(gray)
		f, err := im.frame(n)
		if err != nil {
			t.Fatal(err)
		}
		var want [4][]byte
		for b := range bands {
			want[b] = slowSquare(bands[b], w, h, f)
		}
		got, err := im.Square(n)
		if err != nil || !bytes.Equal(got, want[0]) {
			t.Errorf("gray %v: differs from the definition (%v)", size, err)
		}
		got, err = mix(rgb).Square(n)
		if err != nil {
			t.Fatal(err)
		}
		four := resample(strips{w: w, bands: 4, pix: mix(cmyk).pix, scratch: new(Scratch)}, h, f)
		for i := range n * n {
			for b := range 4 {
				if b < 3 && got[3*i+b] != want[b][3*i] {
					t.Fatalf("RGB %v: pixel %d band %d is %d, want %d", size, i, b, got[3*i+b], want[b][3*i])
				}
				if four[4*i+b] != want[b][3*i] {
					t.Fatalf("four bands %v: pixel %d band %d is %d, want %d", size, i, b, four[4*i+b], want[b][3*i])
				}
			}
		}
	}
}

// TestForms: the assembly gives the plain form's bytes for odd sizes, wild contrasts and whatever lies behind the pixels.
func TestForms(t *testing.T) {
	for seed, size := range [][4]int{{1, 1, 2, 2}, {5, 3, 7, 7}, {64, 48, 17, 17}, {101, 53, 31, 16}, {53, 101, 16, 31}, {300, 200, 224, 224}, {97, 331, 6, 5}, {900, 3, 4, 5}} {
		w, h, nw, nh := size[0], size[1], size[2], size[3]
		src := make([]byte, 3*w*h+slack)
		for i, v := range noise(len(src), uint64(seed)) {
			src[i] = v
			if seed%2 == 1 {
				src[i] = v >> 7 * 255
			}
		}
		src = src[:3*w*h]
		across := newTaps(w, nw, 0, nw).across()
		a, b := make([]byte, 3*nw*h, 3*nw*(h+1)), make([]byte, 3*nw*h)
		across.rows(a, src, w, 3, 0, h)
		for y := range h {
			across.row3(b[3*nw*y:][:3*nw], src[3*w*y:])
		}
		if !bytes.Equal(a, b) {
			t.Errorf("%v: rows differ", size)
		}
		down := newTaps(h, nh, 0, nh)
		c, d := make([]byte, 3*nw*nh), make([]byte, 3*nw*nh)
		down.vertical(c, a, 3*nw, 0)
		down.vertical(d, b[:len(b):len(b)], 3*nw, 0) // no row behind it: the plain form
		if !bytes.Equal(c, d) {
			t.Errorf("%v: columns differ", size)
		}
	}
}

func TestFrame(t *testing.T) {
	for _, c := range []struct{ w, h, n, fw, fh, x, y int }{
		{640, 427, 224, 335, 224, 56, 0}, // (335-224)/2 = 55.5, the half goes to the even 56
		{427, 640, 224, 224, 335, 0, 56},
		{224, 224, 224, 224, 224, 0, 0},
		{500, 375, 224, 298, 224, 37, 0},
		{13, 20, 224, 224, 344, 0, 60},
		{227, 345, 224, 224, 340, 0, 58},
		{3, 4, 3, 3, 4, 0, 0}, // 0.5 goes to 0
	} {
		f, err := (&Image{Width: c.w, Height: c.h}).frame(c.n)
		if want := (frame{c.n, c.fw, c.fh, c.x, c.y}); err != nil || f != want {
			t.Errorf("%d×%d to %d: %+v (%v), want %+v", c.w, c.h, c.n, f, err, want)
		}
	}
	if _, err := (&Image{Width: 1, Height: 1 << 20}).Square(224); err == nil {
		t.Error("an image that would become 224×234881024 was accepted")
	}
	if _, err := newImage(gray, 2, 2).Square(0); err == nil {
		t.Error("a square of 0 was accepted")
	}
}

// TestBombs: the size in the header is refused before the pixels are looked at.
func TestBombs(t *testing.T) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 40, 30))); err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(b.Bytes(), Options{MaxPixels: 1199}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("1200 pixels at a limit of 1199: %v", err)
	}
	if _, err := Decode(b.Bytes(), Options{MaxPixels: 1200}); err != nil {
		t.Errorf("1200 pixels at a limit of 1200: %v", err)
	}
	if _, err := Decode(b.Bytes()[:b.Len()/2], Options{}); err == nil {
		t.Error("half a PNG was accepted")
	}
	for _, im := range []*Image{{}, FromImage(image.NewRGBA(image.Rect(0, 0, 5, 0)))} {
		if _, err := im.Square(8); err == nil {
			t.Errorf("%d×%d pixels have a square", im.Width, im.Height)
		}
	}
	if _, err := Decode(nil, Options{}); err == nil {
		t.Error("an empty file was accepted")
	}
}

// TestMemoryOfPNG: the pixels of a large PNG are in memory once, as the decoder holds them.
func TestMemoryOfPNG(t *testing.T) {
	r := image.Rect(0, 0, 1000, 1000)
	clear := image.NewNRGBA(r) // nothing in it is opaque, so that the encoder keeps its alpha
	for _, c := range []struct {
		m     image.Image
		bytes uint64 // of a pixel
	}{{clear, 4}, {image.NewNRGBA64(r), 8}, {image.NewGray(r), 1}} {
		var b bytes.Buffer
		if err := png.Encode(&b, c.m); err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := new(Scratch).Squared(b.Bytes(), Options{}, 224); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if got, want := after.TotalAlloc-before.TotalAlloc, c.bytes*1e6+1500e3; got > want {
			t.Errorf("%T: %d bytes for a million pixels, want at most %d", c.m, got, want)
		}
	}
}

// TestGIFOnItsScreen: the first image may be smaller than the screen and have a transparent colour, which Pillow shows.
func TestGIFOnItsScreen(t *testing.T) {
	p := image.NewPaletted(image.Rect(1, 1, 3, 3), color.Palette{color.RGBA{10, 20, 30, 255}, color.RGBA{}, color.RGBA{70, 80, 90, 255}})
	copy(p.Pix, []byte{0, 1, 2, 1})
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &gif.GIF{Image: []*image.Paletted{p}, Delay: []int{0}, Config: image.Config{Width: 4, Height: 4}}); err != nil {
		t.Fatal(err)
	}
	im, err := Decode(b.Bytes(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := []byte{1, 1, 1, 1, 1, 0, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1}; !bytes.Equal(im.pix, want) {
		t.Errorf("indices %v, want %v", im.pix, want)
	}
}

func TestOrient(t *testing.T) {
	m := newImage(gray, 3, 2)
	copy(m.pix, "abcdef")
	for o, want := range []string{1: "abcdef", 2: "cbafed", 3: "fedcba", 4: "defabc", 5: "adbecf", 6: "daebfc", 7: "fcebda", 8: "cfbead"} {
		if got := m.orient(o); o > 0 && string(got.pix) != want {
			t.Errorf("orientation %d: %s, want %s", o, got.pix, want)
		}
	}
}

// TestOrientation finds the orientation in each kind of file that may have one.
func TestOrientation(t *testing.T) {
	tiff := "MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"
	riff := func(body string) string {
		return "RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00abcdefghijEXIF" + string(rune(len(body))) + "\x00\x00\x00" + body
	}
	start := "\x89PNG\r\n\x1a\n\x00\x00\x00\x01tEXtx1234"
	for data, want := range map[string]int{
		"\xff\xd8\xff\xe1\x00\x1eExif\x00\x00" + tiff:  6,
		start + "\x00\x00\x00\x16eXIf" + tiff + "1234": 6,
		start + "\x00\x00\x00\x16eXIf" + tiff:          1, // cut short
		start + "\xff\xff\xff\xffeXIf" + tiff + "1234": 1,
		riff(tiff):                     6,
		riff("Exif\x00\x00" + tiff):    6,
		riff(tiff)[:len(riff(tiff))-1]: 1,
		"GIF89a" + tiff:                1,
		"":                             1,
	} {
		if got := orientation([]byte(data)); got != want {
			t.Errorf("%.40q: orientation %d, want %d", data, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, 2, 3))); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x01\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"))
	f.Add([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0aeXIfMM\x00\x2a\x00\x00\x00\x08\x00\x011234"))
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x1eExif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06"))
	for _, name := range []string{"animated_lossy.webp", "animated_alpha.webp", "progressive_420_restart.jpg"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		im, err := Decode(data, Options{MaxPixels: 1 << 16, EXIF: true})
		if err != nil {
			return
		}
		if out, err := im.Square(5); err == nil && len(out) != 75 {
			t.Errorf("a square of 5 has %d bytes", len(out))
		}
	})
}
