package ptxsim

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
)

// matrices runs a warp that writes 16-bit numbers 0, 1, 2, … to shared memory, so that row r of four 8×8 matrices that lie end to end begins
// with 8r, and then executes load, of which it returns the registers. In %r8 lane l has the address of its row: 16l.
func matrices(t *testing.T, d *Device, load string, n int) (regs [4][32]uint32, err error) {
	t.Helper()
	at, e := d.Alloc(4 * 32 * n)
	if e != nil {
		t.Fatal(e)
	}
	body := "	shl.b32 %r8, %r1, 4;\n"
	for i := range 4 { // a lane writes the 8 numbers of a row
		body += fmt.Sprintf("	mul.lo.u32 %%r9, %%r1, 8;\n	add.u32 %%r9, %%r9, %d;\n	add.u32 %%r10, %%r9, 1;\n	shl.b32 %%r10, %%r10, 16;\n	or.b32 %%r9, %%r9, %%r10;\n	st.shared.u32 [%%r8+%d], %%r9;\n", 2*i, 4*i)
	}
	body += "	bar.sync 0;\n	" + load + "\n"
	for i := range n {
		body += fmt.Sprintf("	st.global.u32 [%%rd2+%d], %%r%d;\n", 128*i, 20+i)
	}
	if err := program(t, d, body, 1, 32, at, 0); err != nil {
		return regs, err
	}
	out := make([]byte, 4*32*n)
	if err := d.Read(out, at); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		for l := range 32 {
			regs[i][l] = binary.LittleEndian.Uint32(out[4*(32*i+l):])
		}
	}
	return regs, nil
}

// What a lane receives, written out by hand from the figures of the PTX manual (ldmatrix, "Matrix fragments"): register m holds of matrix
// m the numbers (l/4, 2(l%4)) and (l/4, 2(l%4)+1); with .trans those at (2(l%4), l/4) and (2(l%4)+1, l/4).
func TestLdmatrix(t *testing.T) {
	plain := map[int][2]uint32{0: {0, 1}, 1: {2, 3}, 2: {4, 5}, 3: {6, 7}, 4: {8, 9}, 5: {10, 11}, 7: {14, 15}, 13: {26, 27}, 28: {56, 57}, 31: {62, 63}}
	trans := map[int][2]uint32{0: {0, 8}, 1: {16, 24}, 2: {32, 40}, 3: {48, 56}, 4: {1, 9}, 5: {17, 25}, 7: {49, 57}, 13: {19, 27}, 28: {7, 15}, 31: {55, 63}}
	for n, name := range map[int]string{1: "x1", 2: "x2", 4: "x4"} {
		for suffix, want := range map[string]map[int][2]uint32{"": plain, ".trans": trans} {
			list := strings.Join([]string{"%r20", "%r21", "%r22", "%r23"}[:n], ", ")
			regs, err := matrices(t, NewDevice(1<<20), "ldmatrix.sync.aligned.m8n8."+name+suffix+".shared.b16 {"+list+"}, [%r8];", n)
			if err != nil {
				t.Fatal(err)
			}
			for m := range n {
				for l, w := range want {
					lo, hi := w[0]+uint32(64*m), w[1]+uint32(64*m)
					if got := regs[m][l]; got != lo|hi<<16 {
						t.Errorf("%s%s: register %d of lane %d has %d and %d, want %d and %d", name, suffix, m, l, got&0xffff, got>>16, lo, hi)
					}
				}
			}
		}
	}
}

// Row addresses come from the first 8, 16 or 32 lanes alone; rows may lie in any order; they begin on 16 bytes, and were written and waited for.
func TestLdmatrixAddresses(t *testing.T) {
	d := NewDevice(1 << 20)
	const swapped = "xor.b32 %r8, %r8, 16;\n	setp.lt.u32 %p1, %r1, 8;\n	selp.b32 %r8, %r8, 9999, %p1;\n	"
	regs, err := matrices(t, d, swapped+"ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r20}, [%r8];", 1)
	if err != nil {
		t.Fatal(err)
	}
	if regs[0][0] != 8|9<<16 || regs[0][4] != 0|1<<16 {
		t.Errorf("rows in another order: lanes 0 and 4 have %#x and %#x", regs[0][0], regs[0][4])
	}
	for load, want := range map[string]string{
		"ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r20}, [%r8+8];":                                                              "alignment",
		"ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r20}, [%r8+1024];":                                                           "shared memory",
		"ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r20}, [%r8+512];":                                                            "never written",
		"st.shared.u32 [%r3], %r1;\n	ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r20}, [%r8];":                                    "race",
		"setp.lt.u32 %p1, %r1, 9;\n	@%p1 ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r20}, [%r8];":                                "lanes",
		"setp.lt.u32 %p1, %r1, 9;\n	@%p1 bra $L1;\n	ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r20}, [%r8];\n$L1:\n	bar.sync 0;": "elsewhere",
	} {
		if _, err := matrices(t, NewDevice(1<<20), load, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", load, err, want)
		}
	}
	for _, load := range []string{"ldmatrix.sync.aligned.m8n8.x3.shared.b16 {%r1, %r2, %r3}, [%r4];", "ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%r1}, [%r4];",
		"ldmatrix.sync.aligned.m8n8.x1.global.b16 {%r1}, [%r4];", "ldmatrix.sync.aligned.m8n8.x1.trans.global.b16 {%r1}, [%r4];"} {
		if _, err := Parse(".visible .entry k(\n.param .u64 p0\n)\n{\n.reg .b32 %r<8>;\n" + load + "\nret;\n}\n"); err == nil {
			t.Errorf("%s was taken", load)
		}
	}
}

// Passes through shared memory, counted by hand.
func TestBanks(t *testing.T) {
	const half = "	bar.sync 0;\n"
	for _, c := range []struct {
		name, body   string
		taken, least int
	}{
		{"end to end", "st.shared.u32 [%r3], %r1;", 1, 1},
		{"every second word", "shl.b32 %r4, %r1, 3;\n	st.shared.u32 [%r4], %r1;", 2, 1},
		{"a column of rows of 8 words", "shl.b32 %r4, %r1, 5;\n	st.shared.u32 [%r4], %r1;", 8, 1},
		{"a column of rows of 7 words", "mul.lo.u32 %r4, %r1, 28;\n	st.shared.u32 [%r4], %r1;", 1, 1},
		{"pairs end to end", "shl.b32 %r4, %r1, 3;\n	st.shared.v2.u32 [%r4], {%r1, %r1};", 2, 2},
		{"pairs 16 bytes apart", "shl.b32 %r4, %r1, 4;\n	st.shared.v2.u32 [%r4], {%r1, %r1};", 4, 2},
		{"quads end to end", "shl.b32 %r4, %r1, 4;\n	st.shared.v4.u32 [%r4], {%r1, %r1, %r1, %r1};", 4, 4},
		{"one lane", "setp.eq.u32 %p1, %r1, 3;\n	@%p1 st.shared.u32 [%r3], %r1;", 1, 1},
	} {
		d := NewDevice(1 << 20)
		d.Banks = Banks{}
		if err := program(t, d, c.body+half, 1, 32, 0, 0); err != nil {
			t.Fatal(c.name, err)
		}
		if len(d.Banks) != 1 {
			t.Fatalf("%s: %v", c.name, d.Banks)
		}
		for name, p := range d.Banks {
			if p != (Passes{c.taken, c.least}) {
				t.Errorf("%s: %s: %+v, want %d passes for %d", c.name, name, p, c.taken, c.least)
			}
		}
		if got := len(d.Banks.Conflicts()); (got > 0) != (c.taken > c.least) {
			t.Errorf("%s: %d conflicts", c.name, got)
		}
	}
	// Rows of 16 bytes that are 32 bytes apart share their banks with every fourth; a word read by all goes out once.
	d := NewDevice(1 << 20)
	d.Banks = Banks{}
	if _, err := matrices(t, d, "and.b32 %r8, %r8, 112;\n	shl.b32 %r8, %r8, 1;\n	ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r20}, [%r8];\n	mov.u32 %r24, 0;\n	ld.shared.u32 %r25, [%r24];", 1); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Passes{"k: ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r20}, [%r8]": {2, 1}, "k: ld.shared.u32 %r25, [%r24]": {1, 1}} {
		if d.Banks[name] != want {
			t.Errorf("%s: %+v, want %+v", name, d.Banks[name], want)
		}
	}
}
