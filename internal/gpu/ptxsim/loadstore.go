package ptxsim

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// resolveMemory knows ld, st and red/atom.add.f32 on parameters, global, shared and generic addresses.
func (k *Kernel) resolveMemory(in *instr, op, args []string) (bool, error) {
	if op[0] != "ld" && op[0] != "st" {
		return false, nil
	}
	typ := op[len(op)-1]
	bits, err := strconv.Atoi(typ[1:])
	if err != nil {
		return false, fmt.Errorf("type %s", typ)
	}
	size, count, space := bits/8, 1, "generic"
	for _, p := range op[1 : len(op)-1] {
		switch p {
		case "v2":
			count = 2
		case "v4":
			count = 4
		case "global", "shared", "param":
			space = p
		case "nc", "volatile":
		default:
			return false, fmt.Errorf("qualifier .%s", p)
		}
	}
	place, value := 1, 0
	if op[0] == "st" {
		place, value = 0, 1
	}
	if space == "param" {
		return k.parameter(in, args, typ, size)
	}
	at, off, err := k.address(args[place])
	if err != nil {
		return false, err
	}
	rs, err := k.list(args[value])
	if err != nil || len(rs) != count {
		return false, fmt.Errorf("operands of %s", strings.Join(op, "."))
	}
	sign := typ[0] == 's'
	in.exec = func(w *warp, lanes uint32) {
		if w.block.dev.Banks != nil && space == "shared" {
			w.count(in, lanes, size*count, func(l int) uint64 { return uint64(uint32(w.regs[at][l] + off)) })
		}
		each(lanes, func(l int) {
			addr := w.regs[at][l] + off
			shared := space == "shared"
			if space == "shared" {
				addr = uint64(uint32(addr))
			}
			if space == "generic" && addr >= sharedBase && addr < sharedBase<<1 {
				addr, shared = addr-sharedBase, true
			}
			var mem []byte
			var err error
			switch n := size * count; {
			case value == 0 && shared:
				mem, err = w.loadShared(l, addr, n)
			case value == 0:
				mem, err = w.block.load(w.first+l, addr, n)
			case shared:
				mem, err = w.storeShared(l, addr, n)
			default:
				mem, err = w.block.store(w.first+l, addr, n, false)
			}
			if err != nil {
				w.fault(l, err)
				return
			}
			for i, r := range rs {
				if value == 0 {
					w.regs[r][l] = read(mem[i*size:], size, sign)
				} else {
					write(mem[i*size:], size, w.regs[r][l])
				}
			}
		})
	}
	return true, nil
}

// read is a number of memory, with its sign carried on where the type has one: the register may be wider.
func read(mem []byte, size int, sign bool) uint64 {
	if sign {
		switch size {
		case 1:
			return uint64(int8(mem[0]))
		case 2:
			return uint64(int16(binary.LittleEndian.Uint16(mem)))
		case 4:
			return uint64(int32(binary.LittleEndian.Uint32(mem)))
		}
	}
	switch size {
	case 1:
		return uint64(mem[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(mem))
	case 4:
		return uint64(binary.LittleEndian.Uint32(mem))
	}
	return binary.LittleEndian.Uint64(mem)
}

func write(mem []byte, size int, v uint64) {
	switch size {
	case 1:
		mem[0] = byte(v)
	case 2:
		binary.LittleEndian.PutUint16(mem, uint16(v))
	case 4:
		binary.LittleEndian.PutUint32(mem, uint32(v))
	default:
		binary.LittleEndian.PutUint64(mem, v)
	}
}

// parameter is ld.param.
func (k *Kernel) parameter(in *instr, args []string, typ string, size int) (bool, error) {
	n, ok := k.params[strings.Trim(args[1], "[]")]
	if !ok {
		return false, fmt.Errorf("no parameter %s", args[1])
	}
	sign := typ[0] == 's' && size == 4
	if size != k.Params[n] {
		return false, fmt.Errorf("loads %d bytes of a parameter of %d", size, k.Params[n])
	}
	d, err := k.operand(args[0])
	if err != nil {
		return false, err
	}
	in.exec = func(w *warp, lanes uint32) {
		v := w.block.args[n]
		switch {
		case sign:
			v = uint64(int32(v))
		case size == 4:
			v = uint64(uint32(v))
		}
		each(lanes, func(l int) { w.regs[d][l] = v })
	}
	return true, nil
}
