package pillow

// mul255 is a·b/255, rounded, as Pillow's MULDIV255.
func mul255(a, b byte) byte {
	t := uint32(a)*uint32(b) + 128
	return byte((t>>8 + t) >> 8)
}

// premultiply makes dst of RGBA with its colours times alpha.
func premultiply(dst, pix []byte) {
	for i := 0; i+4 <= len(dst); i += 4 {
		a := pix[i+3]
		dst[i], dst[i+1], dst[i+2], dst[i+3] = mul255(pix[i], a), mul255(pix[i+1], a), mul255(pix[i+2], a), a
	}
}

// dropAlpha is the RGB of RGBA, divided by alpha if it was multiplied.
func dropAlpha(pix []byte, multiplied bool) []byte {
	out := make([]byte, 0, len(pix)/4*3)
	for i := 0; i+4 <= len(pix); i += 4 {
		a := uint32(pix[i+3])
		for _, c := range pix[i : i+3] {
			if multiplied && a != 0 && a != 255 {
				c = byte(min(255, 255*uint32(c)/a))
			}
			out = append(out, c)
		}
	}
	return out
}

// inkToRGB converts CMYK.
func inkToRGB(pix []byte) []byte {
	out := make([]byte, 0, len(pix)/4*3)
	for i := 0; i+4 <= len(pix); i += 4 {
		paper := 255 - pix[i+3]
		for _, ink := range pix[i : i+3] {
			out = append(out, clip8(int32(paper)-int32(mul255(ink, paper))))
		}
	}
	return out
}

// grayToRGB repeats every byte three times.
func grayToRGB(pix []byte) []byte {
	out := make([]byte, 0, 3*len(pix))
	for _, c := range pix {
		out = append(out, c, c, c)
	}
	return out
}
