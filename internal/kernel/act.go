package kernel

import "math"

// Act applies the activation a to every element of x:
//
//	GELUTanh   x·σ(2u), u = √(2/π)·(x + 0.044715x³), which is ½x(1 + tanh u) (GPT-2's gelu_new)
//	QuickGELU  x·σ(1.702x) (OpenAI's CLIP)
//	GELUErf    x·Φ(x), Φ the normal distribution function
//	ReLU       max(x, 0)
//	Tanh       tanh x
//	None       x
//
// dst must be as long as x and may be x itself. A NaN gives NaN; the GELUs go to 0 at -Inf
// and to +Inf at +Inf.
//
// Tanh is within 2.5 ULP. The GELUs' error is at most 4e-7 of the result where |result| ≥ 1/16, and
// 4e-7/16 where it is smaller; ReLU is exact. Plain Go is within 1 ULP everywhere. An element's result
// depends on the instruction set but not on its place.
func Act(dst, x []float32, a Activation) {
	if short(len(x)) {
		actRow(dst, x, a)
		return
	}
	t := tasks.get()
	t.a, t.b, t.act = dst[:len(x)], x, a
	t.overElements(len(x), func(t *task, lo, hi int) { actRow(t.a[lo:hi], t.b[lo:hi], t.act) })
}

// ActGrad is the backward pass of Act: dx = dy·a′(x). All three have the length of x, and dx may be
// dy or x itself. Tanh's derivative is taken from x, not from the activation's result. ReLU's is 0 at 0,
// and 1 at a NaN. The absolute error of a′ is below 3e-7.
func ActGrad(dx, dy, x []float32, a Activation) {
	if short(len(x)) {
		actGradRow(dx, dy, x, a)
		return
	}
	t := tasks.get()
	t.a, t.b, t.c, t.act = dx[:len(x)], dy[:len(x)], x, a
	t.overElements(len(x), func(t *task, lo, hi int) {
		actGradRow(t.a[lo:hi], t.b[lo:hi], t.c[lo:hi], t.act)
	})
}

// actRow is Act in the calling goroutine.
func actRow(dst, x []float32, a Activation) {
	dst = dst[:len(x)]
	if actArch(dst, x, a) {
		return
	}
	switch a {
	case GELUTanh:
		for i, v := range x {
			dst[i] = geluTanh(v)
		}
	case QuickGELU:
		for i, v := range x {
			dst[i] = quickGELU(v)
		}
	case GELUErf:
		for i, v := range x {
			dst[i] = geluErf(v)
		}
	case ReLU:
		for i, v := range x {
			dst[i] = relu(v)
		}
	case Tanh:
		for i, v := range x {
			dst[i] = tanh32(v)
		}
	default:
		copy(dst, x)
	}
}

// actGradRow is ActGrad in the calling goroutine.
func actGradRow(dx, dy, x []float32, a Activation) {
	dx, dy = dx[:len(x)], dy[:len(x)]
	if actGradArch(dx, dy, x, a) {
		return
	}
	switch a {
	case GELUTanh:
		for i, v := range x {
			dx[i] = float32(float64(dy[i]) * geluTanhSlope(float64(v)))
		}
	case QuickGELU:
		for i, v := range x {
			dx[i] = float32(float64(dy[i]) * quickGELUSlope(float64(v)))
		}
	case GELUErf:
		for i, v := range x {
			dx[i] = float32(float64(dy[i]) * geluErfSlope(float64(v)))
		}
	case ReLU:
		for i, v := range x {
			dx[i] = reluGrad(dy[i], v)
		}
	case Tanh:
		for i, v := range x {
			t := tanh64(float64(v))
			dx[i] = float32(float64(dy[i]) * (1 - t*t))
		}
	default:
		copy(dx, dy)
	}
}

const (
	geluScale  = 1.5957691216057308 // 2·√(2/π)
	geluCubic  = 0.044715
	quickScale = 1.702
	// Below these a GELU is 0 in float32; arguments are held above them for -Inf's sake.
	geluMin      = -15
	quickGELUMin = -700 / quickScale
	// Here the slope of a GELU has long reached 0 or 1; arguments are held inside so that nothing
	// overflows on the way.
	geluTanhBound  = 10
	quickGELUBound = 51
	geluErfBound   = 14.5
)

func geluTanh(v float32) float32 {
	x := max(float64(v), geluMin)
	return float32(x * logistic64(geluScale*x*(1+geluCubic*x*x)))
}

// geluTanhSlope is s + x·s·(1-s)·w with s = σ(2u) and w = d(2u)/dx.
func geluTanhSlope(x float64) float64 {
	x = min(max(x, -geluTanhBound), geluTanhBound)
	s := logistic64(geluScale * x * (1 + geluCubic*x*x))
	return s + x*s*(1-s)*geluScale*(1+3*geluCubic*x*x)
}

func quickGELU(v float32) float32 {
	x := max(float64(v), quickGELUMin)
	return float32(x * logistic64(quickScale*x))
}

func quickGELUSlope(x float64) float64 {
	x = min(max(x, -quickGELUBound), quickGELUBound)
	s := logistic64(quickScale * x)
	return s + quickScale*x*s*(1-s)
}

func geluErf(v float32) float32 {
	x := max(float64(v), geluMin)
	return float32(x * 0.5 * math.Erfc(-x/math.Sqrt2))
}

// geluErfSlope is Φ(x) + x·φ(x), φ the normal density.
func geluErfSlope(x float64) float64 {
	x = min(max(x, -geluErfBound), geluErfBound)
	const invSqrt2Pi = 0.3989422804014327
	return 0.5*math.Erfc(-x/math.Sqrt2) + x*invSqrt2Pi*exp64(-0.5*x*x)
}

// relu keeps a NaN, as max(x, 0) does.
func relu(x float32) float32 { return max(x, 0) }

func reluGrad(dy, x float32) float32 {
	if x <= 0 {
		return 0
	}
	return dy
}
