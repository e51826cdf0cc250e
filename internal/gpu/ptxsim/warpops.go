package ptxsim

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// asyncCopy is a cp.async under way.
type asyncCopy struct {
	lane      int
	dst, src  uint64
	size, use int
	commit    int // number of the commit group it belongs to
}

// resolveWarp knows what warps do together and copies behind a thread's back.
func (k *Kernel) resolveWarp(in *instr, op, args []string) (bool, error) {
	switch full := strings.Join(op, "."); {
	case full == "bar.sync" && args[0] == "0" && len(args) == 1:
		in.kind = blockOp
	case full == "bar.warp.sync":
		in.kind = warpOp
		in.exec = func(w *warp, _ uint32) { w.syncs++ }
	case strings.HasPrefix(full, "shfl.sync."):
		return k.shuffle(in, op[2], args)
	case strings.HasPrefix(full, "cp.async."):
		return k.async(in, full, args)
	case strings.HasPrefix(full, "ldmatrix.sync.aligned."):
		return k.ldmatrix(in, full, args)
	case full == "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32":
		return k.mma(in, args, 4, 2, bfloat16Product)
	case full == "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32":
		return k.mma(in, args, 4, 2, tf32Product)
	default:
		return false, nil
	}
	return true, nil
}

// shuffle is shfl.sync d, a, b, c, mask for whole warps.
func (k *Kernel) shuffle(in *instr, mode string, args []string) (bool, error) {
	r, err := k.registers([]string{strings.Split(args[0], "|")[0], args[1], args[2], args[3], args[4]})
	if err != nil {
		return false, err
	}
	if mode != "bfly" && mode != "idx" && mode != "down" && mode != "up" {
		return false, nil
	}
	in.kind = warpOp
	in.exec = func(w *warp, lanes uint32) {
		var out [32]uint64
		for l := range 32 {
			if lanes>>l&1 == 0 {
				continue
			}
			if m := uint32(w.regs[r[4]][l]); m != lanes {
				w.fault(l, fmt.Errorf("mask %#x, but lanes %#x are here", m, lanes))
				return
			}
			b := int(w.regs[r[2]][l])
			c := int(w.regs[r[3]][l])
			seg, clamp := c>>8&31, c&31
			low := l & seg
			high := low | clamp&^seg
			src := l
			switch mode {
			case "bfly":
				src = l ^ b&31
			case "idx":
				src = low | b&31&^seg
			case "down":
				src = l + b&31
			case "up":
				src = l - b&31
			}
			if mode == "up" && src < low || mode != "up" && src > high {
				src = l
			}
			out[l] = w.regs[r[1]][src]
		}
		each(lanes, func(l int) { w.regs[r[0]][l] = out[l] })
	}
	return true, nil
}

// async is cp.async and what waits for it. The data is read, and lands, when it is waited for.
func (k *Kernel) async(in *instr, full string, args []string) (bool, error) {
	switch full {
	case "cp.async.commit_group":
		in.exec = func(w *warp, lanes uint32) { each(lanes, func(l int) { w.commits[l]++ }) }
		return true, nil
	case "cp.async.wait_all":
		in.exec = func(w *warp, lanes uint32) { w.land(lanes, -1) }
		return true, nil
	case "cp.async.wait_group":
		n, err := strconv.Atoi(args[0])
		in.exec = func(w *warp, lanes uint32) { w.land(lanes, n) }
		return true, err
	case "cp.async.cg.shared.global", "cp.async.ca.shared.global":
	default:
		return false, nil
	}
	dst, dstOff, err := k.address(args[0])
	if err != nil {
		return false, err
	}
	src, srcOff, err := k.address(args[1])
	if err != nil {
		return false, err
	}
	size, err := strconv.Atoi(args[2])
	if err != nil || size != 16 && (size != 4 && size != 8 || strings.Contains(full, ".cg.")) {
		return false, fmt.Errorf("copies %s bytes", args[2])
	}
	use := k.constant(uint64(size))
	if len(args) > 3 {
		if use, err = k.operand(args[3]); err != nil {
			return false, err
		}
	}
	in.exec = func(w *warp, lanes uint32) {
		w.count(in, lanes, size, func(l int) uint64 { return uint64(uint32(w.regs[dst][l] + dstOff)) })
		each(lanes, func(l int) {
			c := asyncCopy{l, uint64(uint32(w.regs[dst][l] + dstOff)), w.regs[src][l] + srcOff, size, int(uint32(w.regs[use][l])), w.commits[l]}
			if c.use > size || c.use%4 != 0 || access(c.dst, size) != nil || access(c.src, size) != nil {
				w.fault(l, fmt.Errorf("%d bytes of %d from %#x to shared %#x", c.use, size, c.src, c.dst))
				return
			}
			if _, err := w.storeShared(l, c.dst, size); err != nil {
				w.fault(l, err)
				return
			}
			for i := c.dst / 4; i < (c.dst+uint64(size))/4; i++ {
				w.block.words[i].inTransit = true
			}
			w.copies = append(w.copies, c)
		})
	}
	return true, nil
}

// land finishes the copies of lanes but for the last n groups; -1: all, committed or not.
func (w *warp) land(lanes uint32, n int) {
	rest := w.copies[:0]
	for _, c := range w.copies {
		if lanes>>c.lane&1 == 0 || n >= 0 && c.commit >= w.commits[c.lane]-n {
			rest = append(rest, c)
			continue
		}
		for i := c.dst / 4; i < (c.dst+uint64(c.size))/4; i++ {
			w.block.words[i].inTransit = false
		}
		dst, err := w.storeShared(c.lane, c.dst, c.size)
		for at := 0; err == nil && at < c.use; at += 4 {
			var word []byte
			if word, err = w.block.load(w.first+c.lane, c.src+uint64(at), 4); err == nil {
				copy(dst[at:], word)
			}
		}
		if err != nil {
			w.fault(c.lane, err)
			return
		}
		clear(dst[c.use:])
	}
	w.copies = rest
}

// ldmatrix loads 8×8 matrices of 16-bit numbers: lane 8m+i gives the address of row i of matrix m, and lane l receives the
// two numbers of row l/4 from column 2(l%4) on; with .trans those of the transposed matrix.
func (k *Kernel) ldmatrix(in *instr, full string, args []string) (bool, error) {
	n := map[string]int{"x1": 1, "x2": 2, "x4": 4}[strings.Split(full, ".")[4]]
	d, err := k.list(args[0])
	if err != nil {
		return false, err
	}
	at, off, err := k.address(args[1])
	if err != nil || n == 0 || len(d) != n || !strings.HasSuffix(full, ".m8n8.x"+strconv.Itoa(n)+".shared.b16") && !strings.HasSuffix(full, ".trans.shared.b16") {
		return false, fmt.Errorf("%s: %v", full, err)
	}
	trans := strings.Contains(full, ".trans.")
	in.kind = warpOp
	in.exec = func(w *warp, lanes uint32) {
		if lanes != ^uint32(0) {
			w.fault(0, fmt.Errorf("lanes %#x of a warp", lanes))
			return
		}
		w.count(in, ^uint32(0)>>(32-8*n), 16, func(l int) uint64 { return uint64(uint32(w.regs[at][l] + off)) })
		for m := range n {
			var rows [8][]byte
			for i := range 8 {
				mem, err := w.loadShared(8*m+i, uint64(uint32(w.regs[at][8*m+i]+off)), 16)
				if err != nil {
					w.fault(8*m+i, err)
					return
				}
				rows[i] = mem
			}
			for l := range 32 {
				if trans {
					c := 2 * (l / 4)
					lo, hi := read(rows[2*(l%4)][c:], 2, false), read(rows[2*(l%4)+1][c:], 2, false)
					w.regs[d[m]][l] = lo | hi<<16
				} else {
					w.regs[d[m]][l] = read(rows[l/4][4*(l%4):], 4, false)
				}
			}
		}
	}
	return true, nil
}

// mma is d = a·b + c on fragments: na registers of a and nb of b a lane, four sums of c and d, which lie at rows l/4 and
// l/4+8 and columns 2(l%4) and 2(l%4)+1.
func (k *Kernel) mma(in *instr, args []string, na, nb int, product func(a, b, c *[4][32]uint64) [16][8]float32) (bool, error) {
	var rs [4][]int
	for i, want := range [...]int{4, na, nb, 4} {
		var err error
		if rs[i], err = k.list(args[i]); err != nil || len(rs[i]) != want {
			return false, fmt.Errorf("operand %d: %v", i, err)
		}
	}
	in.kind = warpOp
	in.exec = func(w *warp, lanes uint32) {
		if lanes != ^uint32(0) {
			w.fault(0, fmt.Errorf("lanes %#x of a warp", lanes))
			return
		}
		var f [4][4][32]uint64
		for x := 1; x < 4; x++ {
			for i, r := range rs[x] {
				f[x][i] = w.regs[r]
			}
		}
		sums := product(&f[1], &f[2], &f[3])
		for i, r := range rs[0] {
			for l := range 32 {
				w.regs[r][l] = b32(sums[l/4+8*(i/2)][2*(l%4)+i%2])
			}
		}
	}
	return true, nil
}

// The products that tensor cores add at a time: on sm_80 as many as lie on 16 bytes.
const addsBFloat16, addsTF32 = 8, 4

// addUp is c + Σ x·y, so many products at a time, as tensor cores add: every product, and c, loses what lies below the last bit but one of the
// greatest, and the sum what does not fit float32; nothing is rounded up. NVIDIA does not say so. It is what was measured of sm_80 (Fasi, Higham,
// Mikaitis, Pranesh: Numerical behavior of NVIDIA tensor cores, 2021); later ones lose less.
func addUp(c float32, x, y []float64, adds int) float32 {
	for ; len(x) > 0; x, y = x[adds:], y[adds:] {
		terms := [9]float64{8: float64(c)}
		most := math.Abs(terms[8])
		for i := range adds {
			terms[i] = x[i] * y[i]
			most = max(most, math.Abs(terms[i]))
		}
		exponent, sum := math.Float64bits(most)>>52, 0.0
		if 24 < exponent && exponent < 0x7ff { // neither 0 nor infinite or NaN
			unit, units := exponent-24, int64(0)
			for _, t := range terms {
				units += int64(t * math.Float64frombits((2046-unit)<<52)) // towards 0
			}
			sum = float64(units) * math.Float64frombits(unit<<52)
		} else {
			for _, t := range terms {
				sum += t
			}
		}
		c = float32(sum)
		if d := float64(c); math.Abs(d) > math.Abs(sum) && !math.IsInf(d, 0) {
			c = math.Nextafter32(c, 0)
		}
	}
	return c
}

// bfloat16Product multiplies 16×16 by 16×8. Register i of a holds row l/4+8(i%2), columns 2(l%4)+8(i/2) and the next; register
// i of b column l/4, rows 2(l%4)+8i and the next.
func bfloat16Product(a, b, c *[4][32]uint64) (d [16][8]float32) {
	var x [16][16]float64
	var y [8][16]float64
	for l := range 32 {
		for h := range 2 {
			for i := range 4 {
				x[l/4+8*(i%2)][2*(l%4)+8*(i/2)+h] = wide(a[i][l] >> (16 * h))
			}
			for i := range 2 {
				y[l/4][2*(l%4)+8*i+h] = wide(b[i][l] >> (16 * h))
			}
		}
	}
	for i := range x {
		for j := range y {
			d[i][j] = addUp(f32(c[i/8*2+j%2][i%8*4+j/2]), x[i][:], y[j][:], addsBFloat16)
		}
	}
	return d
}

// wide is a bfloat16 number.
func wide(v uint64) float64 { return float64(math.Float32frombits(uint32(v) << 16)) }

// tf32Product multiplies 16×8 by 8×8. Register i of a holds row l/4+8(i%2), column l%4+4(i/2); register i of b row l%4+4i,
// column l/4. The low 13 bits of a number are not looked at.
func tf32Product(a, b, c *[4][32]uint64) (d [16][8]float32) {
	var x [16][8]float64
	var y [8][8]float64
	for l := range 32 {
		for i := range 4 {
			x[l/4+8*(i%2)][l%4+4*(i/2)] = float64(f32(a[i][l] &^ 0x1fff))
		}
		for i := range 2 {
			y[l/4][l%4+4*i] = float64(f32(b[i][l] &^ 0x1fff))
		}
	}
	for i := range x {
		for j := range y {
			d[i][j] = addUp(f32(c[i/8*2+j%2][i%8*4+j/2]), x[i][:], y[j][:], addsTF32)
		}
	}
	return d
}
