package kernel

import "math"

// The plain-Go transcendentals work in float64 on a float32 argument, so that rounding the result
// to float32 is nearly all of their error (below 0.51 ULP).

const (
	expOverflow  = 88.73 // exp of it and of anything above is infinite in float32
	expUnderflow = -104  // exp of it and of anything below is zero in float32
)

// exp64 is eˣ for |x| ≤ 700, to 1e-8: x = n·ln 2 + r, |r| ≤ ln 2 / 2,
// and the Taylor series of eʳ to r⁷.
func exp64(x float64) float64 {
	n := math.Floor(x*math.Log2E + 0.5)
	return (1 + expm1Reduced(x-n*math.Ln2)) * pow2(n)
}

// expm1Reduced is eʳ - 1 for |r| ≤ ln 2 / 2.
func expm1Reduced(r float64) float64 {
	p := 1.0/720 + r*(1.0/5040)
	p = 1.0/120 + r*p
	p = 1.0/24 + r*p
	p = 1.0/6 + r*p
	p = 1.0/2 + r*p
	return r + r*r*p
}

// pow2 is 2ⁿ for a whole n in the range of normal float64s.
func pow2(n float64) float64 { return math.Float64frombits(uint64(int64(n)+1023) << 52) }

// exp32 is eˣ, with gradual underflow; NaN gives NaN.
func exp32(x float32) float32 {
	switch {
	case x != x:
		return x
	case x > expOverflow:
		return float32(math.Inf(1))
	case x < expUnderflow:
		return 0
	}
	return float32(exp64(float64(x)))
}

// tanh64 is tanh x = (e²ˣ-1) / (e²ˣ+1), with e²ˣ-1 formed without cancellation.
func tanh64(x float64) float64 {
	a := 2 * math.Abs(x)
	if a > 40 {
		return math.Copysign(1, x)
	}
	n := math.Floor(a*math.Log2E + 0.5)
	s := pow2(n)
	e := s*expm1Reduced(a-n*math.Ln2) + (s - 1)
	return math.Copysign(e/(e+2), x)
}

// tanh32 is tanh x; NaN gives NaN.
func tanh32(x float32) float32 {
	if x != x {
		return x
	}
	return float32(tanh64(float64(x)))
}

// logistic64 is 1/(1+e⁻ˣ), and 0 where e⁻ˣ would overflow.
func logistic64(x float64) float64 {
	switch {
	case x != x:
		return x
	case x < -700:
		return 0
	}
	return 1 / (1 + exp64(max(-x, -700)))
}
