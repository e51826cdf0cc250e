package ptxsim

import (
	"math"
	"math/bits"
)

func f32(v uint64) float32 { return math.Float32frombits(uint32(v)) }
func b32(f float32) uint64 { return uint64(math.Float32bits(f)) }
func boolean(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
func signed(v uint64) int64 { return int64(int32(v)) }
func flush(f float32) float32 { // subnormals to zero
	if f != 0 && math.Abs(float64(f)) < 0x1p-126 {
		return float32(math.Copysign(0, float64(f)))
	}
	return f
}

// floats are the float32 functions of one operand.
var floats1 = map[string]func(a float32) float32{
	"neg":   func(a float32) float32 { return -a },
	"abs":   func(a float32) float32 { return float32(math.Abs(float64(a))) },
	"sqrt":  func(a float32) float32 { return float32(math.Sqrt(float64(a))) },
	"rcp":   func(a float32) float32 { return 1 / a },
	"rsqrt": func(a float32) float32 { return float32(1 / math.Sqrt(float64(a))) },
	"ex2":   func(a float32) float32 { return float32(math.Exp2(float64(a)) * (1 + amiss(a))) },
	"lg2":   logarithm,
}

// floats2 are those of two.
var floats2 = map[string]func(a, b float32) float32{
	"add": func(a, b float32) float32 { return a + b },
	"sub": func(a, b float32) float32 { return a - b },
	"mul": func(a, b float32) float32 { return a * b },
	"div": func(a, b float32) float32 { return a / b },
	"min": func(a, b float32) float32 { // a NaN loses
		if a != a || b < a {
			return b
		}
		return a
	},
	"max": func(a, b float32) float32 {
		if a != a || b > a {
			return b
		}
		return a
	},
}

// integers are the functions of two integers of 64 bits; those of 32 are the same on extended operands.
var integers = map[string]func(a, b int64) int64{
	"add": func(a, b int64) int64 { return a + b },
	"sub": func(a, b int64) int64 { return a - b },
	"mul": func(a, b int64) int64 { return a * b },
	"and": func(a, b int64) int64 { return a & b },
	"or":  func(a, b int64) int64 { return a | b },
	"xor": func(a, b int64) int64 { return a ^ b },
}

func (k *Kernel) resolveArithmetic(in *instr, op, args []string) (bool, error) {
	typ := op[len(op)-1]
	r, err := k.registers(args)
	if err != nil {
		return false, err
	}
	name := op[0]
	if name == "mov" && len(args) == 2 {
		in.exec = lanes1(r, func(a uint64) uint64 { return a })
		return true, nil
	}
	ftz := len(op) > 2 && op[len(op)-2] == "ftz"
	switch {
	case typ == "f32" && floats1[name] != nil:
		f := floats1[name]
		in.exec = lanes1(r, func(a uint64) uint64 {
			if ftz {
				return b32(flush(f(flush(f32(a)))))
			}
			return b32(f(f32(a)))
		})
	case typ == "f32" && floats2[name] != nil && !ftz:
		f := floats2[name]
		in.exec = lanes2(r, func(a, b uint64) uint64 { return b32(f(f32(a), f32(b))) })
	case typ == "f32" && name == "fma" && !ftz:
		in.exec = lanes3(r, func(a, b, c uint64) uint64 {
			return b32(float32(math.FMA(float64(f32(a)), float64(f32(b)), float64(f32(c)))))
		})
	case typ == "pred":
		switch name {
		case "not":
			in.exec = lanes1(r, func(a uint64) uint64 { return 1 &^ a })
		case "and", "or", "xor":
			f := integers[name]
			in.exec = lanes2(r, func(a, b uint64) uint64 { return uint64(f(int64(a), int64(b))) })
		default:
			return false, nil
		}
	default:
		f := k.integer(name, op, r)
		if f == nil {
			return false, nil
		}
		in.exec = f
	}
	return true, nil
}

// integer is an operation on integers of 32 or 64 bits, nil if it is not known.
func (k *Kernel) integer(name string, op []string, r []int) func(*warp, uint32) {
	typ := op[len(op)-1]
	wide := len(op) > 2 && op[1] == "wide"
	size := typ[1:]
	if size != "16" && size != "32" && size != "64" || typ[0] == 'f' {
		return nil
	}
	sign := typ[0] == 's'
	cut := func(v uint64) uint64 { return v }
	extend := func(v uint64) int64 { return int64(v) }
	switch size {
	case "16":
		cut = func(v uint64) uint64 { return uint64(uint16(v)) }
		extend = extension(typ)
	case "32":
		cut = func(v uint64) uint64 { return uint64(uint32(v)) }
		extend = func(v uint64) int64 { return int64(uint32(v)) }
		if sign {
			extend = signed
		}
	}
	width, _ := map[string]uint64{"16": 16, "32": 32, "64": 64}[size]
	switch name {
	case "add", "sub", "and", "or", "xor":
		f := integers[name]
		return lanes2(r, func(a, b uint64) uint64 { return cut(uint64(f(int64(a), int64(b)))) })
	case "mul":
		switch {
		case wide:
			return lanes2(r, func(a, b uint64) uint64 { return uint64(extend(a) * extend(b)) })
		case op[1] == "lo":
			return lanes2(r, func(a, b uint64) uint64 { return cut(a * b) })
		case op[1] == "hi" && size == "32":
			return lanes2(r, func(a, b uint64) uint64 { return cut(uint64(extend(a)*extend(b)) >> 32) })
		case op[1] == "hi" && !sign:
			return lanes2(r, func(a, b uint64) uint64 { hi, _ := bits.Mul64(a, b); return hi })
		}
	case "mad":
		if wide {
			return lanes3(r, func(a, b, c uint64) uint64 { return uint64(extend(a)*extend(b)) + c })
		}
		if op[1] == "lo" {
			return lanes3(r, func(a, b, c uint64) uint64 { return cut(a*b + c) })
		}
	case "div", "rem":
		return lanes2(r, func(a, b uint64) uint64 {
			x, y := extend(a), extend(b)
			switch {
			case y == 0:
				return cut(^uint64(0))
			case name == "div" && (sign || size == "32"):
				return cut(uint64(x / y))
			case name == "div":
				return a / b
			case sign || size == "32":
				return cut(uint64(x % y))
			}
			return a % b
		})
	case "min", "max":
		return lanes2(r, func(a, b uint64) uint64 {
			less := extend(a) < extend(b)
			if !sign && size == "64" {
				less = a < b
			}
			if less == (name == "min") {
				return cut(a)
			}
			return cut(b)
		})
	case "neg":
		return lanes1(r, func(a uint64) uint64 { return cut(-a) })
	case "abs":
		return lanes1(r, func(a uint64) uint64 { return cut(uint64(max(extend(a), -extend(a)))) })
	case "not":
		return lanes1(r, func(a uint64) uint64 { return cut(^a) })
	case "shl":
		return lanes2(r, func(a, b uint64) uint64 { return cut(cut(a) << min(uint64(uint32(b)), width)) })
	case "shr":
		return lanes2(r, func(a, b uint64) uint64 {
			n := min(uint64(uint32(b)), width)
			if sign {
				return cut(uint64(extend(a) >> n))
			}
			return cut(a) >> n
		})
	case "popc":
		return lanes1(r, func(a uint64) uint64 { return uint64(bits.OnesCount64(cut(a))) })
	case "clz":
		return lanes1(r, func(a uint64) uint64 { return uint64(bits.LeadingZeros64(cut(a))) - (64 - width) })
	case "brev":
		return lanes1(r, func(a uint64) uint64 { return bits.Reverse64(cut(a)) >> (64 - width) })
	case "bfe":
		if !sign {
			return lanes3(r, func(a, b, c uint64) uint64 { return cut(a) >> (b & 255) & (1<<(c&255) - 1) })
		}
		return lanes3(r, func(a, b, c uint64) uint64 { // the highest bit of the field is carried on
			pos, n := b&255, c&255
			if n == 0 {
				return 0
			}
			field := cut(a) >> pos & (1<<n - 1)
			if top := min(pos+n-1, width-1); cut(a)>>top&1 != 0 {
				field |= ^uint64(0) << min(n, width-min(pos, width))
			}
			return cut(field)
		})
	case "shf":
		return funnel(op, r)
	}
	return nil
}

// funnel is shf.l.wrap and shf.r.wrap: a shift of two words as one.
func funnel(op []string, r []int) func(*warp, uint32) {
	if op[2] != "wrap" {
		return nil
	}
	return lanes3(r, func(a, b, c uint64) uint64 {
		v, n := uint64(uint32(b))<<32|uint64(uint32(a)), c&31
		if op[1] == "l" {
			return v << n >> 32
		}
		return uint64(uint32(v >> n))
	})
}

// amiss is the relative error that the PTX manual allows approximations, one way or the other by the last bit of what they are taken of.
func amiss(a float32) float64 {
	if math.Float32bits(a)&1 != 0 {
		return -0x1p-22
	}
	return 0x1p-22
}

// logarithm is lg2: between 1/2 and 2 the error is absolute.
func logarithm(a float32) float32 {
	y := math.Log2(float64(a))
	if 0.5 < a && a < 2 {
		return float32(y + amiss(a))
	}
	return float32(y * (1 + amiss(a)))
}
