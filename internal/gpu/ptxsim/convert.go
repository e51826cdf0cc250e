package ptxsim

import (
	"fmt"
	"math"
	"strings"
)

// special registers, by what a thread of a block reads.
var special = map[string]func(w *warp, lane int) uint64{
	"%tid.x":    func(w *warp, lane int) uint64 { return uint64((w.first + lane) % w.block.dim[0]) },
	"%tid.y":    func(w *warp, lane int) uint64 { return uint64((w.first + lane) / w.block.dim[0] % w.block.dim[1]) },
	"%ntid.x":   func(w *warp, _ int) uint64 { return uint64(w.block.dim[0]) },
	"%ctaid.x":  func(w *warp, _ int) uint64 { return uint64(w.block.at[0]) },
	"%ctaid.y":  func(w *warp, _ int) uint64 { return uint64(w.block.at[1]) },
	"%ctaid.z":  func(w *warp, _ int) uint64 { return uint64(w.block.at[2]) },
	"%nctaid.x": func(w *warp, _ int) uint64 { return uint64(w.block.grid[0]) },
	"%nctaid.y": func(w *warp, _ int) uint64 { return uint64(w.block.grid[1]) },
}

// resolveConvert knows mov from special registers, cvt, cvta and selp.
func (k *Kernel) resolveConvert(in *instr, op, args []string) (bool, error) {
	switch op[0] {
	case "mov":
		f, ok := special[args[1]]
		if !ok && strings.Contains(args[1], ".") {
			return false, fmt.Errorf("special register %s", args[1])
		}
		if strings.HasPrefix(args[0], "{") || strings.HasPrefix(args[1], "{") {
			return k.pack(in, op, args)
		}
		if !ok {
			return false, nil
		}
		d, err := k.operand(args[0])
		if err != nil {
			return false, err
		}
		in.exec = func(w *warp, lanes uint32) { each(lanes, func(l int) { w.regs[d][l] = f(w, l) }) }
		return true, nil
	case "cvta":
		r, err := k.registers(args)
		if err != nil {
			return false, err
		}
		switch strings.Join(op[1:], ".") {
		case "to.global.u64", "global.u64":
			in.exec = lanes1(r, func(a uint64) uint64 { return a })
		case "shared.u64":
			in.exec = lanes1(r, func(a uint64) uint64 { return a + sharedBase })
		case "to.shared.u64":
			in.exec = lanes1(r, func(a uint64) uint64 { return a - sharedBase })
		default:
			return false, nil
		}
		return true, nil
	case "selp":
		r, err := k.registers(args)
		if err != nil {
			return false, err
		}
		in.exec = lanes3(r, func(a, b, p uint64) uint64 {
			if p != 0 {
				return a
			}
			return b
		})
		return true, nil
	case "cvt":
		return k.convert(in, op, args)
	}
	return false, nil
}

// pack is mov between one wide register and two narrow ones.
func (k *Kernel) pack(in *instr, op, args []string) (bool, error) {
	d, err := k.list(args[0])
	if err != nil {
		return false, err
	}
	a, err := k.list(args[1])
	if err != nil {
		return false, err
	}
	half := map[string]int{"b64": 32, "b32": 16}[op[1]]
	if half == 0 || len(d)+len(a) != 3 {
		return false, nil
	}
	in.exec = func(w *warp, lanes uint32) {
		each(lanes, func(l int) {
			if len(a) == 2 {
				w.regs[d[0]][l] = w.regs[a[0]][l]&(1<<half-1) | w.regs[a[1]][l]<<half
				return
			}
			v := w.regs[a[0]][l]
			w.regs[d[0]][l], w.regs[d[1]][l] = v&(1<<half-1), v>>half
		})
	}
	return true, nil
}

// convert is cvt.
func (k *Kernel) convert(in *instr, op, args []string) (bool, error) {
	r, err := k.registers(args)
	if err != nil {
		return false, err
	}
	to, from := op[len(op)-2], op[len(op)-1]
	mode := strings.Join(op[1:len(op)-2], ".")
	switch {
	case to == "bf16x2" && from == "f32" && mode == "rn":
		in.exec = lanes2(r, func(hi, lo uint64) uint64 { return bfloat16(f32(hi))<<16 | bfloat16(f32(lo)) })
		return true, nil
	case to == "tf32" && from == "f32" && mode == "rna":
		in.exec = lanes1(r, func(a uint64) uint64 {
			if f := f32(a); math.IsInf(float64(f), 0) || f != f {
				return a
			}
			return uint64(uint32(a+0x1000) &^ 0x1fff)
		})
		return true, nil
	case to == "f32" && from == "f32":
		round := map[string]func(float64) float64{"rni": math.RoundToEven, "rmi": math.Floor, "rpi": math.Ceil, "rzi": math.Trunc}[mode]
		if round == nil {
			return false, nil
		}
		in.exec = lanes1(r, func(a uint64) uint64 { return b32(float32(round(float64(f32(a))))) })
		return true, nil
	case to == "f32" && mode == "rn":
		ext := extension(from)
		in.exec = lanes1(r, func(a uint64) uint64 {
			if from == "u64" {
				return b32(float32(a))
			}
			return b32(float32(ext(a)))
		})
		return true, nil
	case from == "f32" && to[0] != 'f':
		round := map[string]func(float64) float64{"rni": math.RoundToEven, "rmi": math.Floor, "rpi": math.Ceil, "rzi": math.Trunc}[mode]
		if round == nil || to != "s32" && to != "u32" {
			return false, nil
		}
		lo, hi := float64(math.MinInt32), float64(math.MaxInt32)
		if to == "u32" {
			lo, hi = 0, math.MaxUint32
		}
		in.exec = lanes1(r, func(a uint64) uint64 {
			f := round(float64(f32(a)))
			if f != f {
				f = 0
			}
			return uint64(uint32(int64(min(max(f, lo), hi))))
		})
		return true, nil
	case to[0] != 'f' && from[0] != 'f' && mode == "":
		ext := extension(from)
		mask := ^uint64(0)
		switch to[1:] {
		case "32":
			mask = 1<<32 - 1
		case "16":
			mask = 1<<16 - 1
		}
		in.exec = lanes1(r, func(a uint64) uint64 { return uint64(ext(a)) & mask })
		return true, nil
	}
	return false, nil
}

// extension is how a register of a type becomes 64 bits.
func extension(typ string) func(uint64) int64 {
	switch typ {
	case "s32":
		return signed
	case "u32", "b32":
		return func(v uint64) int64 { return int64(uint32(v)) }
	case "s16":
		return func(v uint64) int64 { return int64(int16(v)) }
	case "u16", "b16":
		return func(v uint64) int64 { return int64(uint16(v)) }
	case "s8":
		return func(v uint64) int64 { return int64(int8(v)) }
	case "u8", "b8":
		return func(v uint64) int64 { return int64(uint8(v)) }
	}
	return func(v uint64) int64 { return int64(v) }
}

// bfloat16 rounds to nearest, ties to even.
func bfloat16(f float32) uint64 {
	b := math.Float32bits(f)
	if f != f {
		return 0x7fff
	}
	return uint64((b + 0x7fff + b>>16&1) >> 16)
}

// resolveCompare knows setp.
func (k *Kernel) resolveCompare(in *instr, op, args []string) (bool, error) {
	if op[0] != "setp" {
		return false, nil
	}
	if len(op) != 3 {
		return false, nil
	}
	r, err := k.registers(args)
	if err != nil {
		return false, err
	}
	rel, typ := op[1], op[2]
	if typ == "f32" {
		f := floatRelations[strings.TrimSuffix(rel, "u")]
		unordered := strings.HasSuffix(rel, "u")
		switch rel {
		case "num", "nan":
			in.exec = lanes2(r, func(a, b uint64) uint64 {
				x, y := f32(a), f32(b)
				return boolean((x != x || y != y) == (rel == "nan"))
			})
			return true, nil
		}
		if f == nil {
			return false, nil
		}
		in.exec = lanes2(r, func(a, b uint64) uint64 {
			x, y := f32(a), f32(b)
			if x != x || y != y {
				return boolean(unordered)
			}
			return boolean(f(x, y))
		})
		return true, nil
	}
	f := integerRelations[rel]
	if f == nil {
		return false, nil
	}
	ext := extension(typ)
	flip := int64(0)
	if typ == "u64" {
		flip = math.MinInt64
	}
	in.exec = lanes2(r, func(a, b uint64) uint64 { return boolean(f(ext(a)^flip, ext(b)^flip)) })
	return true, nil
}

var floatRelations = map[string]func(a, b float32) bool{
	"eq": func(a, b float32) bool { return a == b }, "ne": func(a, b float32) bool { return a != b },
	"lt": func(a, b float32) bool { return a < b }, "le": func(a, b float32) bool { return a <= b },
	"gt": func(a, b float32) bool { return a > b }, "ge": func(a, b float32) bool { return a >= b },
}

// integerRelations compare signed numbers, or unsigned ones of fewer bits.
var integerRelations = map[string]func(a, b int64) bool{
	"eq": func(a, b int64) bool { return a == b }, "ne": func(a, b int64) bool { return a != b },
	"lt": func(a, b int64) bool { return a < b }, "le": func(a, b int64) bool { return a <= b },
	"gt": func(a, b int64) bool { return a > b }, "ge": func(a, b int64) bool { return a >= b },
	"lo": func(a, b int64) bool { return a < b }, "hi": func(a, b int64) bool { return a > b },
}
