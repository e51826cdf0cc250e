package pillow

// mul255 is a·b/255, rounded, as Pillow's MULDIV255.
func mul255(a, b byte) byte {
	t := uint32(a)*uint32(b) + 128
	return byte((t>>8 + t) >> 8)
}

// premultiplied is RGBA with its colours times alpha.
func premultiplied(pix []byte) []byte {
	out := make([]byte, len(pix))
	for i := 0; i+4 <= len(pix); i += 4 {
		a := pix[i+3]
		out[i], out[i+1], out[i+2], out[i+3] = mul255(pix[i], a), mul255(pix[i+1], a), mul255(pix[i+2], a), a
	}
	return out
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
