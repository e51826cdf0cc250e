//go:build noasm || !amd64

package pillow

func (t *taps) horizontalArch(dst, src []byte, w, bands, lo, hi int) bool { return false }

func (t *taps) verticalArch(dst, src []byte, width, from int) bool { return false }
