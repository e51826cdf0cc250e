//go:build !noasm && !race

package amxemu

import (
	"sync/atomic"
	"unsafe"
)

// The functions below run inside a signal handler, on its stack: they neither grow the stack nor
// allocate nor call what might.

type row = [64]byte

// thread is a thread's tile registers.
type thread struct {
	stack       uintptr // its signal stack, by which the handler knows the thread
	rows, width [8]int  // of the tiles, width in bytes; 0 without a shape
	tile        [8][16]row
}

// threads are those that have met a tile instruction.
var threads [256]thread

// context is the kernel's ucontext_t up to where the other registers lie.
type context struct {
	_     [2]uintptr
	stack uintptr
	_     [2]uintptr
	reg   [17]uintptr // r8-r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip
	_     [6]uintptr
	area  uintptr // of XSAVE
}

const rip = 16

// regOf is the place of an instruction's register number in context.reg.
var regOf = [16]uint8{13, 14, 12, 11, 15, 10, 9, 8, 0, 1, 2, 3, 4, 5, 6, 7}

// emulate carries out the tile instruction at uc's instruction pointer, and those that follow, and
// tells whether there was one.
//
//lint:ignore U1000 the signal handler calls it, which is assembly
//go:nosplit
func emulate(uc *context) bool {
	t := threadOf(uc.stack)
	some := false
	for t != nil {
		n := t.step(uc)
		if n == 0 {
			break
		}
		uc.reg[rip] += n
		some = true
		carriedOut.Add(1)
	}
	return some
}

// threadOf finds the thread with that signal stack, or gives it a place if there is one.
//
//go:nosplit
func threadOf(stack uintptr) *thread {
	for i := range threads {
		t := &threads[i]
		if atomic.LoadUintptr(&t.stack) == stack || atomic.CompareAndSwapUintptr(&t.stack, 0, stack) {
			return t
		}
	}
	return nil
}

// opcode is what tells the instructions apart: the opcode byte and VEX's prefix field.
const (
	config    = 0x4900 // LDTILECFG, or TILERELEASE if its operand is a register
	zero      = 0x4903
	load      = 0x4b03
	loadHint  = 0x4b01 // TILELOADDT1
	store     = 0x4b02
	multiply  = 0x5c02 // TDPBF16PS
	vex3      = 0xc4
	map0F38   = 2
	registers = 3 // the mod field of an instruction without memory operand
)

// step carries out the instruction at uc's instruction pointer and returns its length, or 0 if it is
// none of ours or not allowed.
//
//go:nosplit
func (t *thread) step(uc *context) uintptr {
	code := (*[10]byte)(at(uc.reg[rip]))
	if code[0] == evex {
		return stepPairs(uc, code)
	}
	if code[0] != vex3 || code[1]&0x1f != map0F38 || code[2]&0x84 != 0 { // W and L are 0
		return 0
	}
	modrm := code[4]
	mod, reg, rm := modrm>>6, modrm>>3&7, modrm&7
	source := ^code[2] >> 3 & 15 // VEX.vvvv
	op := int(code[3])<<8 | int(code[2]&3)
	if op != multiply && source != 0 || code[1]&0x80 == 0 { // VEX.R: there are eight tiles
		return 0
	}
	if mod == registers {
		switch {
		case code[1]&0x20 == 0: // VEX.B, likewise
			return 0
		case op == config && modrm == 0xc0:
			t.rows, t.width = [8]int{}, [8]int{}
		case op == zero && rm == 0 && t.rows[reg] > 0:
			clear(t.tile[reg][:])
		case op == multiply && source < 8 && t.multiply(reg, rm, source):
		default:
			return 0
		}
		return 5
	}
	base, stride, length := address(uc, code)
	switch {
	case length == 0:
		return 0
	case op == config && reg == 0 && t.configure((*row)(at(base))):
	case (op == load || op == loadHint) && rm == 4 && t.rows[reg] > 0:
		clear(t.tile[reg][:])
		for i := range t.rows[reg] {
			copyRow(at(uintptr(unsafe.Pointer(&t.tile[reg][i]))), at(base+uintptr(i)*stride), t.width[reg])
		}
	case op == store && rm == 4 && t.rows[reg] > 0:
		for i := range t.rows[reg] {
			copyRow(at(base+uintptr(i)*stride), at(uintptr(unsafe.Pointer(&t.tile[reg][i]))), t.width[reg])
		}
	default:
		return 0
	}
	return length
}

// address decodes the memory operand of code: its address without the index, the index as scaled
// (a tile's stride) and the instruction's length, 0 for a form that is not known here.
//
//go:nosplit
func address(uc *context, code *[10]byte) (base, stride, length uintptr) {
	mod, rm := code[4]>>6, code[4]&7
	high, next := ^code[1]>>5&1*8, uintptr(5) // VEX.B
	if rm == 4 {
		sib := code[5]
		next++
		rm = sib & 7
		if index := sib>>3&7 | ^code[1]>>6&1*8; index != 4 { // VEX.X; 4 says no index
			stride = uc.reg[regOf[index&15]] << (sib >> 6)
		}
	}
	if mod == 0 && rm == 5 {
		return 0, 0, 0 // without a base, or relative to the instruction
	}
	base = uc.reg[regOf[(rm|high)&15]]
	switch mod {
	case 1:
		base += uintptr(int8(code[next&7]))
		next++
	case 2:
		base += uintptr(*(*int32)(unsafe.Pointer(&code[next&7])))
		next += 4
	}
	return base, stride, next
}

// configure gives the tiles the shapes of a 64-byte description, palette 1.
//
//go:nosplit
func (t *thread) configure(c *row) bool {
	for i, b := range c {
		if reserved := i > 1 && i < 16 || i >= 32 && i < 48 || i >= 56; reserved && b != 0 {
			return false
		}
	}
	if c[0] != 1 || c[1] != 0 { // start_row is for interrupted loads only
		return false
	}
	for i := range 8 {
		width, rows := int(c[16+2*i])|int(c[17+2*i])<<8, int(c[48+i])
		if width > 64 || rows > 16 || (width == 0) != (rows == 0) {
			return false
		}
		t.width[i], t.rows[i] = width, rows
	}
	clear(t.tile[:])
	return true
}

// multiply adds to tile c the products of tiles a and b, of pairs of bfloat16.
//
//go:nosplit
func (t *thread) multiply(c, a, b byte) bool {
	c, a, b = c&7, a&7, b&7
	if c == a || c == b || a == b || t.rows[c] == 0 || t.rows[a] != t.rows[c] || t.width[b] != t.width[c] ||
		t.width[c]%4 != 0 || t.width[a]%4 != 0 || t.rows[b] != t.width[a]/4 || t.rows[b] == 0 {
		return false
	}
	dotRows(&t.tile[c][0], &t.tile[a][0], &t.tile[b][0], t.rows[c], t.rows[b], uint16(1<<(t.width[c]/4)-1))
	return true
}

// dotRows is c[i][j] += Σ a[i][2k]·b[k][2j] + Σ a[i][2k+1]·b[k][2j+1] for rows rows, the given number of
// pairs k and the columns j whose bit is set; the other columns of c become zero. Each of the two sums
// is a chain of fused multiply-adds from zero.
//
//go:noescape
func dotRows(c, a, b *row, rows, pairs int, columns uint16)

//go:nosplit
func copyRow(dst, src unsafe.Pointer, n int) {
	copy(unsafe.Slice((*byte)(dst), n), unsafe.Slice((*byte)(src), n))
}

// at turns an address that came in a register into a pointer.
//
//go:nosplit
func at(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }
