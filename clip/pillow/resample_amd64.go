//go:build !noasm

package pillow

import (
	"os"

	"golang.org/x/sys/cpu"
)

// avx2 says whether the assembly may run; CLIPCAP_CPU=generic forbids it, as it does the kernels'.
var avx2 = cpu.X86.HasAVX2 && os.Getenv("CLIPCAP_CPU") != "generic"

// rows3AVX2 is row3 for the first n outputs of two rows. It writes a byte more than their pixels have, and reads
// beyond the last input.
//
//go:noescape
func rows3AVX2(dst0, dst1, src0, src1 *byte, first *int32, weights *int32, groups, n int)

// columnsAVX2 is one output row of vertical, n ≥ 16 columns wide; it reads a row more where the number of taps is odd.
//
//go:noescape
func columnsAVX2(dst, src *byte, stride, n int, weights *int32, pairs int)

// halves are weights for 16-bit products: of two taps the upper 11 bits side by side, then the lower 11.
func halves(a, b int32) (high, low int32) {
	return a>>11&0xffff | b>>11<<16, a&2047 | b&2047<<16
}

// at is tap j of output i, 0 beyond its last.
func (t *taps) at(i, j int) int32 {
	if j >= int(t.count[i]) {
		return 0
	}
	return t.weight[i*t.most+j]
}

// across is t prepared to go along rows.
type across struct {
	*taps
	grouped []int32 // the weights, as the assembly takes them
	groups  int     // of an output
}

// group makes the weights of rows3AVX2, once: four taps as two high and two low pairs.
func (t *across) group() (weights []int32, groups int) {
	if t.groups > 0 {
		return t.grouped, t.groups
	}
	t.groups = (t.most + 3) / 4
	t.grouped = make([]int32, 0, 4*t.groups*len(t.first))
	for i := range t.first {
		for j := 0; j < 4*t.groups; j += 4 {
			h0, l0 := halves(t.at(i, j), t.at(i, j+1))
			h1, l1 := halves(t.at(i, j+2), t.at(i, j+3))
			t.grouped = append(t.grouped, h0, h1, l0, l1)
		}
	}
	return t.grouped, t.groups
}

// rowsArch resamples rows of RGB pixels; false says that it did not.
func (t *across) rowsArch(dst, src []byte, w, bands, lo, hi int) bool {
	n := len(t.first)
	if !avx2 || bands != 3 || n < 2 {
		return false
	}
	weights, groups := t.group()
	reach := 0 // bytes of a row that are read; where an output has fewer taps than most, it reads on, times 0
	for _, f := range t.first[:n-1] {
		reach = max(reach, 3*int(f)+12*groups+4)
	}
	last := taps{first: t.first[n-1:], count: t.count[n-1:], weight: t.weight[(n-1)*t.most:], most: t.most}
	for y := lo; y < hi; y += 2 {
		z := min(y+1, hi-1)
		d0, d1 := dst[3*n*(y-lo):][:3*n], dst[3*n*(z-lo):][:3*n]
		s0, s1 := src[3*w*y:][:3*w], src[3*w*z:][:3*w]
		if 3*w*z+reach > cap(src) {
			t.row3(d0, s0)
			t.row3(d1, s1)
			continue
		}
		rows3AVX2(&d0[0], &d1[0], &s0[0], &s1[0], &t.first[0], &weights[0], groups, n-1)
		last.row3(d0[3*n-3:], s0)
		last.row3(d1[3*n-3:], s1)
	}
	return true
}

// verticalArch resamples columns; false says that it did not.
func (t *taps) verticalArch(dst, src []byte, width, from int) bool {
	if !avx2 || width < 16 || cap(src)-len(src) < width {
		return false
	}
	pairs := (t.most + 1) / 2
	weights := make([]int32, 2*pairs)
	for i := range t.first {
		used := (int(t.count[i]) + 1) / 2
		for j := range used {
			weights[2*j], weights[2*j+1] = halves(t.at(i, 2*j), t.at(i, 2*j+1))
		}
		columnsAVX2(&dst[i*width:][:width][0], &src[(int(t.first[i])-from)*width], width, width, &weights[0], used)
	}
	return true
}
