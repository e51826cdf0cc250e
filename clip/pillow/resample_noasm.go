//go:build noasm || !amd64

package pillow

// across is t prepared to go along rows, for which this build needs nothing more.
type across struct{ *taps }

func (t *across) rowsArch(dst, src []byte, w, bands, lo, hi int) bool { return false }

func (t *taps) verticalArch(dst, src []byte, width, from int) bool { return false }

func coloursArch(dst, luma, cb, cr []byte) bool { return false }

func sumsArch(sums []int16, near, far []byte) bool { return false }

func doubleArch(dst []byte, sums []int16, even, odd, shift int) bool { return false }
