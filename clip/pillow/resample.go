package pillow

import "math"

// precision is the number of fractional bits of a weight.
const precision = 32 - 8 - 2

// taps are the weights of a bicubic resampling along one side, for a run of output positions.
type taps struct {
	first  []int32 // the first input of every output
	count  []int32 // how many inputs it has
	weight []int32 // most to an output
	most   int
}

// bicubic is Keys' cubic convolution kernel with a = -0.5.
func bicubic(t float64) float64 {
	const a = -0.5
	t = math.Abs(t)
	// The conversions keep a compiler from fusing products and sums, which would round differently.
	if t < 1 {
		return float64(float64(float64(float64((a+2)*t)-(a+3))*t)*t) + 1
	}
	if t < 2 {
		return float64(float64(float64(float64(float64(t-5)*t)+8)*t)-4) * a
	}
	return 0
}

// reach gives, for output i of a resampling from in to out, its centre and the inputs [lo, hi) that count.
func reach(i, in, out int) (centre float64, lo, hi int) {
	scale := float64(in) / float64(out)
	support := 2 * max(scale, 1)
	centre = float64((float64(i) + 0.5) * scale)
	lo = max(int(centre-support+0.5), 0)
	hi = min(int(centre+support+0.5), in)
	return centre, lo, hi
}

// weigh computes the exact weights of output i into k and returns the first input they are for.
func weigh(k []float64, i, in, out int) (int, []float64) {
	centre, lo, hi := reach(i, in, out)
	inv := 1 / max(float64(in)/float64(out), 1)
	sum := 0.0
	k = k[:0]
	for x := lo; x < hi; x++ {
		w := bicubic(float64((float64(x) - centre + 0.5) * inv))
		k = append(k, w)
		sum += w
	}
	if sum != 0 {
		for j := range k {
			k[j] /= sum
		}
	}
	return lo, k
}

// newTaps are the weights of outputs [from, from+n) of a resampling from in to out.
func newTaps(in, out, from, n int) *taps {
	t := &taps{first: make([]int32, n), count: make([]int32, n)}
	for i := range n {
		_, lo, hi := reach(from+i, in, out)
		t.first[i], t.count[i] = int32(lo), int32(hi-lo)
		t.most = max(t.most, hi-lo)
	}
	t.weight = make([]int32, n*t.most)
	k := make([]float64, 0, t.most)
	for i := range n {
		_, k = weigh(k, from+i, in, out)
		for j, w := range k {
			half := 0.5
			if w < 0 {
				half = -0.5
			}
			t.weight[i*t.most+j] = int32(half + float64(w*(1<<precision)))
		}
	}
	return t
}

// span is the range of inputs that the outputs use.
func (t *taps) span() (lo, hi int) {
	lo = math.MaxInt
	for i, f := range t.first {
		lo = min(lo, int(f))
		hi = max(hi, int(f+t.count[i]))
	}
	return lo, hi
}

func (t *taps) across() *across { return &across{taps: t} }

// beyond is how many bytes behind the last row the assembly may read; where fewer are there, that row is resampled in plain Go.
func (t *across) beyond(bands int) int { return bands*(t.most+4) + slack }

// rows resamples the rows [lo, hi) of src, w pixels wide, into dst, a row for each.
func (t *across) rows(dst, src []byte, w, bands, lo, hi int) {
	if t.rowsArch(dst, src, w, bands, lo, hi) {
		return
	}
	n := len(t.first)
	for y := lo; y < hi; y++ {
		d, s := dst[(y-lo)*n*bands:][:n*bands], src[y*w*bands:][:w*bands]
		switch bands {
		case 1:
			t.row1(d, s)
		case 3:
			t.row3(d, s)
		case 4:
			t.row4(d, s)
		}
	}
}

func (t *taps) row1(dst, src []byte) {
	for i := range dst {
		k := t.weight[i*t.most:][:t.count[i]]
		s := src[t.first[i]:][:len(k)]
		a := int32(1 << (precision - 1))
		for j, w := range k {
			a += int32(s[j]) * w
		}
		dst[i] = clip8(a >> precision)
	}
}

func (t *taps) row3(dst, src []byte) {
	for i := range len(dst) / 3 {
		k := t.weight[i*t.most:][:t.count[i]]
		s := src[3*t.first[i]:][:3*len(k)]
		a, b, c := int32(1<<(precision-1)), int32(1<<(precision-1)), int32(1<<(precision-1))
		for _, w := range k {
			a += int32(s[0]) * w
			b += int32(s[1]) * w
			c += int32(s[2]) * w
			s = s[3:]
		}
		d := dst[3*i:][:3]
		d[0], d[1], d[2] = clip8(a>>precision), clip8(b>>precision), clip8(c>>precision)
	}
}

func (t *taps) row4(dst, src []byte) {
	for i := range len(dst) / 4 {
		k := t.weight[i*t.most:][:t.count[i]]
		s := src[4*t.first[i]:][:4*len(k)]
		const half = int32(1 << (precision - 1))
		a, b, c, e := half, half, half, half
		for _, w := range k {
			a += int32(s[0]) * w
			b += int32(s[1]) * w
			c += int32(s[2]) * w
			e += int32(s[3]) * w
			s = s[4:]
		}
		d := dst[4*i:][:4]
		d[0], d[1], d[2], d[3] = clip8(a>>precision), clip8(b>>precision), clip8(c>>precision), clip8(e>>precision)
	}
}

// vertical resamples the columns of src, whose first row is input row from and whose rows are width bytes, into dst.
func (t *taps) vertical(dst, src []byte, width, from int) {
	if t.verticalArch(dst, src, width, from) {
		return
	}
	acc := make([]int32, width)
	for i := range t.first {
		for x := range acc {
			acc[x] = 1 << (precision - 1)
		}
		for j, w := range t.weight[i*t.most:][:t.count[i]] {
			s := src[(int(t.first[i])+j-from)*width:][:width]
			for x, v := range s {
				acc[x] += int32(v) * w
			}
		}
		d := dst[i*width:][:width]
		for x, a := range acc {
			d[x] = clip8(a >> precision)
		}
	}
}
