package ptxsim

import (
	"fmt"
	"strings"
)

// resolve finds what an instruction does from its name, such as add.f32, and its operands.
func (k *Kernel) resolve(in *instr, op string, args []string) error {
	parts := strings.Split(op, ".")
	for _, f := range []func(*instr, []string, []string) (bool, error){
		k.resolveMemory, k.resolveWarp, k.resolveConvert, k.resolveCompare, k.resolveArithmetic,
	} {
		if ok, err := f(in, parts, args); ok || err != nil {
			return err
		}
	}
	return fmt.Errorf("instruction %s is not known", op)
}

// registers are the operands, each one register or constant.
func (k *Kernel) registers(args []string) ([]int, error) {
	rs := make([]int, len(args))
	for i, a := range args {
		var err error
		if rs[i], err = k.operand(a); err != nil {
			return nil, err
		}
	}
	return rs, nil
}

// each calls f for every lane.
func each(lanes uint32, f func(lane int)) {
	for l := 0; lanes != 0; l, lanes = l+1, lanes>>1 {
		if lanes&1 != 0 {
			f(l)
		}
	}
}

// lanes1, lanes2 and lanes3 execute a function of one, two and three operands lane by lane.
func lanes1(r []int, f func(a uint64) uint64) func(*warp, uint32) {
	return func(w *warp, lanes uint32) {
		d, a := &w.regs[r[0]], &w.regs[r[1]]
		for l := 0; lanes != 0; l, lanes = l+1, lanes>>1 {
			if lanes&1 != 0 {
				d[l] = f(a[l])
			}
		}
	}
}

func lanes2(r []int, f func(a, b uint64) uint64) func(*warp, uint32) {
	return func(w *warp, lanes uint32) {
		d, a, b := &w.regs[r[0]], &w.regs[r[1]], &w.regs[r[2]]
		for l := 0; lanes != 0; l, lanes = l+1, lanes>>1 {
			if lanes&1 != 0 {
				d[l] = f(a[l], b[l])
			}
		}
	}
}

func lanes3(r []int, f func(a, b, c uint64) uint64) func(*warp, uint32) {
	return func(w *warp, lanes uint32) {
		d, a, b, c := &w.regs[r[0]], &w.regs[r[1]], &w.regs[r[2]], &w.regs[r[3]]
		for l := 0; lanes != 0; l, lanes = l+1, lanes>>1 {
			if lanes&1 != 0 {
				d[l] = f(a[l], b[l], c[l])
			}
		}
	}
}
