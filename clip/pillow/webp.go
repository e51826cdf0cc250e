package pillow

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"

	"golang.org/x/image/webp"
)

// decodeWebP reads a WebP, of an animation the first frame.
func decodeWebP(data []byte) (*Image, error) {
	f, err := parseWebP(data)
	if err != nil {
		return nil, err
	}
	m, err := decodeStillWebP(f.still)
	if err != nil || !f.animated {
		return m, err
	}
	return f.onCanvas(m), nil
}

// decodeStillWebP reads a file of one image.
func decodeStillWebP(data []byte) (*Image, error) {
	m, err := webp.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	alpha := webpAlpha(data)
	switch m := m.(type) {
	case *image.NRGBA: // lossless
		if alpha {
			return keep(m, rgba), nil
		}
		return keep(m, rgb), nil
	case *image.YCbCr:
		return fromVP8(m), nil
	case *image.NYCbCrA:
		opaque := fromVP8(&m.YCbCr)
		im := newImage(rgba, opaque.Width, opaque.Height)
		for y := range im.Height {
			for x := range im.Width {
				i := y*im.Width + x
				copy(im.pix[4*i:4*i+3], opaque.pix[3*i:])
				im.pix[4*i+3] = m.A[y*m.AStride+x]
			}
		}
		return im, nil
	}
	return nil, fmt.Errorf("held as %T", m)
}

// webpAlpha tells whether the header of a lossless or extended WebP announces alpha.
func webpAlpha(data []byte) bool {
	if len(data) < 25 {
		return false
	}
	switch string(data[12:16]) {
	case "VP8X":
		return data[20]&(1<<4) != 0
	case "VP8L":
		return binary.LittleEndian.Uint32(data[21:])&(1<<28) != 0 // behind two 14-bit sizes
	}
	return false
}

// fromVP8 makes RGB of VP8's planes as libwebp does: its upsampling weighs the four nearest chroma samples 9:3:3:1,
// and luma and chroma are of limited range (16 to 235 and 240).
func fromVP8(m *image.YCbCr) *Image {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	im := newImage(rgb, w, h)
	cw := (w + 1) / 2
	ch := (h + 1) / 2
	for y := range h {
		near := y / 2
		far := near - 1 + y&1*2
		if y == 0 || far >= ch {
			far = near
		}
		dst := im.pix[y*w*3:][:w*3]
		luma := m.Y[y*m.YStride:]
		cb, cbFar := m.Cb[near*m.CStride:][:cw], m.Cb[far*m.CStride:][:cw]
		cr, crFar := m.Cr[near*m.CStride:][:cw], m.Cr[far*m.CStride:][:cw]
		for x := range w {
			u, v := blend(cb, cbFar, x), blend(cr, crFar, x)
			l := int(luma[x]) * 19077 >> 8
			dst[3*x] = clip6(l + v*26149>>8 - 14234)
			dst[3*x+1] = clip6(l - u*6419>>8 - v*13320>>8 + 8708)
			dst[3*x+2] = clip6(l + u*33050>>8 - 17685)
		}
	}
	return im
}

// blend is libwebp's upsampled chroma at x.
func blend(near, far []byte, x int) int {
	i := x / 2
	j := i - 1 + x&1*2
	a, c := int(near[i]), int(far[i])
	if x == 0 || j >= len(near) {
		return (3*a + c + 2) >> 2
	}
	b, d := int(near[j]), int(far[j])
	return (a + (a+b+c+d+8+2*(b+c))>>3) >> 1
}

// clip6 drops six bits and clips to a byte.
func clip6(v int) byte { return byte(min(max(v>>6, 0), 255)) }
