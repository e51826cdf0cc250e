package pillow

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
)

// decodeJPEG reads a JPEG, baseline or progressive, gray, YCbCr, RGB or CMYK.
func decodeJPEG(data []byte) (*Image, error) {
	m, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	switch m := m.(type) {
	case *image.YCbCr:
		return fromYCbCr(m), nil
	case *image.Gray:
		return take(m, gray), nil
	case *image.RGBA:
		return take(m, rgb), nil
	case *image.CMYK:
		return take(m, cmyk), nil
	}
	return nil, fmt.Errorf("held as %T", m)
}

// The colour conversion of JFIF in 16-bit fixed point, as libjpeg tabulates it: what the chroma samples add to luma.
var redOf, blueOf, greenOfCb, greenOfCr [256]int32

func init() {
	for i := range 256 {
		c := int32(i - 128)
		redOf[i] = (91881*c + 1<<15) >> 16
		blueOf[i] = (116130*c + 1<<15) >> 16
		greenOfCb[i] = -22554*c + 1<<15
		greenOfCr[i] = -46802 * c
	}
}

// fromYCbCr makes RGB of a JPEG's planes as libjpeg does, with its "fancy" upsampling.
func fromYCbCr(m *image.YCbCr) *Image {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	im := newImage(rgb, w, h)
	if w == 0 || h == 0 {
		return im
	}
	up := upsampler{w: w}
	switch m.SubsampleRatio {
	case image.YCbCrSubsampleRatio444:
		up.hx, up.vy = 1, 1
	case image.YCbCrSubsampleRatio422:
		up.hx, up.vy = 2, 1
	case image.YCbCrSubsampleRatio420:
		up.hx, up.vy = 2, 2
	case image.YCbCrSubsampleRatio440:
		up.hx, up.vy = 1, 2
	case image.YCbCrSubsampleRatio411:
		up.hx, up.vy = 4, 1
	case image.YCbCrSubsampleRatio410:
		up.hx, up.vy = 4, 2
	}
	up.cw, up.ch = (w+up.hx-1)/up.hx, (h+up.vy-1)/up.vy
	up.sums = make([]int32, up.cw)
	cb, cr := make([]byte, w), make([]byte, w)
	for y := range h {
		up.row(cb, m.Cb, m.CStride, y)
		up.row(cr, m.Cr, m.CStride, y)
		colourRow(im.pix[y*w*3:][:w*3], m.Y[y*m.YStride:][:w], cb, cr)
	}
	return im
}

// colourRow converts a row.
func colourRow(dst, luma, cb, cr []byte) {
	for i, l := range luma {
		y, u, v := int32(l), cb[i], cr[i]
		d := dst[3*i : 3*i+3 : 3*i+3]
		d[0] = clip8(y + redOf[v])
		d[1] = clip8(y + (greenOfCb[u]+greenOfCr[v])>>16)
		d[2] = clip8(y + blueOf[u])
	}
}

func clip8(v int32) byte {
	if uint32(v) > 255 {
		return byte(^v >> 31) // 0 for what is negative
	}
	return byte(v)
}
