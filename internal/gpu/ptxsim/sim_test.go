package ptxsim

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// program runs the body of a kernel with the parameters p0 (u64) and p1 (u32), one block of 64 threads unless threads says otherwise.
func program(t *testing.T, d *Device, body string, grid, threads int, args ...uint64) error {
	t.Helper()
	m, err := Parse(`.version 7.0
.target sm_80
.address_size 64
.visible .entry k(
	.param .u64 p0,
	.param .u32 p1
)
{
	.reg .pred %p<8>;
	.reg .b32 %r<32>;
	.reg .f32 %f<32>;
	.reg .b64 %rd<16>;
	.shared .align 16 .b8 s[1024];
	ld.param.u64 %rd0, [p0];
	ld.param.u32 %r0, [p1];
	mov.u32 %r1, %tid.x;
	mov.u32 %r2, %ctaid.x;
	mul.wide.u32 %rd1, %r1, 4;
	add.s64 %rd2, %rd0, %rd1;
	shl.b32 %r3, %r1, 2;
` + body + `
	ret;
}
`)
	if err != nil {
		t.Fatal(err)
	}
	return d.Launch(m.Kernels["k"], Dim{grid, 1, 1}, Dim{threads, 1, 1}, 0, args)
}

// What a GPU may let pass, or punish with nonsense, is an error here.
func TestMistakesAreFound(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"past the end", "st.global.u32 [%rd2+256], %r1;", "offset 256 of an allocation of 256"},
		{"before the start", "ld.global.u32 %r4, [%rd2+-4];", "nothing is allocated"},
		{"off the alignment", "st.global.u32 [%rd2+2], %r1;", "alignment"},
		{"unwritten", "ld.global.u32 %r4, [%rd2];", "never written"},
		{"unwritten shared", "ld.shared.u32 %r4, [%r3];", "never written"},
		{"past shared", "st.shared.u32 [%r3+1000], %r1;", "shared memory"},
		{"race between warps", "st.shared.u32 [%r3], %r1;\n xor.b32 %r5, %r3, 128;\n ld.shared.u32 %r4, [%r5];", "race|never written"},
		{"race within a warp", "st.shared.u32 [%r3], %r1;\n xor.b32 %r5, %r3, 4;\n ld.shared.u32 %r4, [%r5];", "race"},
		{"write after read", "st.shared.u32 [%r3], %r1;\n bar.sync 0;\n xor.b32 %r5, %r3, 128;\n ld.shared.u32 %r4, [%r5];\n st.shared.u32 [%r3], %r4;", "race"},
		{"lanes missing", "setp.lt.u32 %p1, %r1, 5;\n @%p1 bra $L1;\n shfl.sync.bfly.b32 %r4, %r1, 1, 31, -1;\n ret;\n$L1:\n ret;", "mask 0xffffffff"},
		{"lanes parted", "setp.lt.u32 %p1, %r1, 5;\n @%p1 bra $L1;\n shfl.sync.bfly.b32 %r4, %r1, 1, 31, -1;\n bra.uni $L2;\n$L1:\n bar.sync 0;\n$L2:\n bar.sync 0;", "elsewhere"},
		{"copy not waited for", "st.global.u32 [%rd2], %r1;\n cp.async.ca.shared.global [%r3], [%rd2], 4;", "under way"},
		{"copy read too early", "st.global.u32 [%rd2], %r1;\n cp.async.ca.shared.global [%r3], [%rd2], 4;\n cp.async.commit_group;\n ld.shared.u32 %r4, [%r3];", "before the copy"},
		{"copy of another thread", "st.global.u32 [%rd2], %r1;\n cp.async.ca.shared.global [%r3], [%rd2], 4;\n cp.async.wait_all;\n xor.b32 %r5, %r3, 128;\n ld.shared.u32 %r4, [%r5];", "never written|race|before the copy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := NewDevice(1 << 20)
			at, err := d.Alloc(256)
			if err != nil {
				t.Fatal(err)
			}
			err = program(t, d, c.body, 1, 64, at, 0)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range strings.Split(c.want, "|") {
				if strings.Contains(err.Error(), want) {
					return
				}
			}
			t.Errorf("got %v, want %s", err, c.want)
		})
	}
}

// Two blocks that write one word, or one that reads what another writes, are found in either order.
func TestBlocksDoNotMeet(t *testing.T) {
	for _, reverse := range []bool{false, true} {
		d := NewDevice(1 << 20)
		d.Reverse = reverse
		at, err := d.Alloc(256)
		if err != nil {
			t.Fatal(err)
		}
		if err := program(t, d, "st.global.u32 [%rd2], %r2;", 2, 64, at, 0); err == nil || !strings.Contains(err.Error(), "another block") {
			t.Errorf("%v", err)
		}
		// Halves of a word are written apart, as long as they are not the same.
		own := "mul.wide.u32 %rd1, %r2, 2;\n add.s64 %rd2, %rd0, %rd1;\n st.global.u16 [%rd2], %r2;"
		if err := program(t, d, own, 2, 64, at, 0); err != nil {
			t.Error(err)
		}
		for _, more := range []string{"st.global.u16 [%rd0], %r2;", "ld.global.u16 %r4, [%rd0];\n ld.global.u16 %r4, [%rd0+2];"} {
			if err := program(t, d, own+"\n"+more, 2, 64, at, 0); err == nil || !strings.Contains(err.Error(), "another block") {
				t.Errorf("%s: %v", more, err)
			}
		}
	}
}

// Lanes part and meet again: even ones take one way, odd ones another with a loop, and all shuffle behind it.
func TestDivergence(t *testing.T) {
	d := NewDevice(1 << 20)
	at, err := d.Alloc(256)
	if err != nil {
		t.Fatal(err)
	}
	body := `
	and.b32 %r4, %r1, 1;
	setp.eq.s32 %p1, %r4, 0;
	mov.u32 %r5, 0;
	mov.u32 %r6, 0;
	@%p1 bra $EVEN;
$LOOP:
	add.s32 %r5, %r5, %r1;
	add.s32 %r6, %r6, 1;
	setp.lt.s32 %p2, %r6, %r1;
	@%p2 bra $LOOP;
	bra.uni $MEET;
$EVEN:
	add.s32 %r5, %r1, 1000;
$MEET:
	shfl.sync.bfly.b32 %r7, %r5, 1, 31, -1;
	st.global.u32 [%rd2], %r7;`
	if err := program(t, d, body, 1, 64, at, 0); err != nil {
		t.Fatal(err)
	}
	out := make([]byte, 256)
	if err := d.Read(out, at); err != nil {
		t.Fatal(err)
	}
	for i := range 64 {
		want := uint32(i ^ 1)
		if want%2 == 0 {
			want += 1000
		} else {
			want *= want
		}
		if got := binary.LittleEndian.Uint32(out[4*i:]); got != want {
			t.Errorf("thread %d: %d, want %d", i, got, want)
		}
	}
}

// Products of fragments, by the layout the PTX manual gives for each: lane l holds rows l/4 and l/4+8.
func TestFragments(t *testing.T) {
	var a, b, c [4][32]uint64
	at := func(i, k int) float32 { return float32(i - 2*k) }
	bt := func(k, j int) float32 { return float32(k*j - 3) }
	for l := range 32 {
		g, q := l/4, l%4
		a[0][l], a[1][l] = b32(at(g, q)), b32(at(g+8, q))
		a[2][l], a[3][l] = b32(at(g, q+4)), b32(at(g+8, q+4))
		b[0][l], b[1][l] = b32(bt(q, g)), b32(bt(q+4, g))
		for i := range 4 {
			c[i][l] = b32(float32(8*(g+8*(i/2)) + 2*q + i%2))
		}
	}
	check := func(d [16][8]float32, depth int) {
		t.Helper()
		for i := range 16 {
			for j := range 8 {
				want := float32(8*i + j)
				for k := range depth {
					want += at(i, k) * bt(k, j)
				}
				if d[i][j] != want {
					t.Fatalf("(%d, %d): %g, want %g", i, j, d[i][j], want)
				}
			}
		}
	}
	check(tf32Product(&a, &b, &c), 8)
	pair := func(lo, hi float32) uint64 { return bfloat16(lo) | bfloat16(hi)<<16 }
	for l := range 32 {
		g, q := l/4, 2*(l%4)
		a[0][l], a[1][l] = pair(at(g, q), at(g, q+1)), pair(at(g+8, q), at(g+8, q+1))
		a[2][l], a[3][l] = pair(at(g, q+8), at(g, q+9)), pair(at(g+8, q+8), at(g+8, q+9))
		b[0][l], b[1][l] = pair(bt(q, g), bt(q+1, g)), pair(bt(q+8, g), bt(q+9, g))
	}
	check(bfloat16Product(&a, &b, &c), 16)
}

// Tensor cores cut off what they have no room for.
func TestAddUp(t *testing.T) {
	const last = 1.0 / (1 << 23) // the last place of 1
	inf := math.Inf(1)
	for _, c := range []struct {
		c    float32
		x    []float64
		want float32
	}{
		{1, []float64{last, 0, 0, 0}, 1 + last},
		{1, []float64{last / 2, last / 2, 0, 0}, 1 + last},        // one bit more than float32's
		{1, []float64{last / 4, last / 4, last / 4, last / 4}, 1}, // each is lost
		{1, []float64{last / 2, 0, 0, 0, last / 2, 0, 0, 0}, 1},   // and what is left over, after each step
		{-1, []float64{-last * 0.75, 0, 0, 0}, -1},                // never away from 0
		{1, []float64{-last / 4, 0, 0, 0}, 1},                     // a term is cut before it is subtracted
		{0, []float64{0x1p60, 0x1p-60, -0x1p60, 0}, 0},            // the greatest decides, not the sum
		{0x1p-140, []float64{0x1p-140, 0, 0, 0}, 0x1p-139},        // small numbers are numbers
		{float32(inf), []float64{-1, 0, 0, 0}, float32(inf)},      // and so is this
		{0, []float64{0, 0, 0, 0}, 0},
	} {
		if got := addUp(c.c, c.x, slices.Repeat([]float64{1}, len(c.x)), 4); got != c.want {
			t.Errorf("%g and %v: %g, want %g", c.c, c.x, got, c.want)
		}
	}
}

// Bit fields with their sign, by the pseudocode of the PTX manual.
func TestSignedFields(t *testing.T) {
	for _, c := range []struct {
		a, pos, n int
		want      int32
	}{{0xff80, 8, 8, -1}, {0xff80, 0, 8, -128}, {0x7f00, 8, 8, 127}, {-0x80000000, 24, 8, -128}, {-0x80000000, 28, 8, -8}, {5, 0, 0, 0}, {-1, 40, 3, -1}, {6, 1, 2, -1}, {6, 1, 3, 3}} {
		d := NewDevice(1 << 20)
		at, err := d.Alloc(256)
		if err != nil {
			t.Fatal(err)
		}
		if err := program(t, d, fmt.Sprintf("bfe.s32 %%r4, %d, %d, %d;\n	st.global.u32 [%%rd2], %%r4;", c.a, c.pos, c.n), 1, 64, at, 0); err != nil {
			t.Fatal(err)
		}
		out := make([]byte, 4)
		if err := d.Read(out, at); err != nil {
			t.Fatal(err)
		}
		if got := int32(binary.LittleEndian.Uint32(out)); got != c.want {
			t.Errorf("%d bits of %#x from %d on: %d, want %d", c.n, c.a, c.pos, got, c.want)
		}
	}
}

func TestRounding(t *testing.T) {
	for in, want := range map[float32]uint64{1: 0x3f80, 1 + 1.0/256: 0x3f80, 1 + 3.0/256: 0x3f82, -2.5: 0xc020, float32(math.Inf(1)): 0x7f80} {
		if got := bfloat16(in); got != want {
			t.Errorf("%g: %#x, want %#x", in, got, want)
		}
	}
}

// What is not understood is refused when it is read, not when it runs.
func TestParseErrors(t *testing.T) {
	for _, body := range []string{"frobnicate.u32 %r1, %r2;", "bra $NOWHERE;", "add.s32 %r1, %r2, %q9;", "ld.param.u64 %rd0, [p9];",
		"ld.param.u32 %r0, [p0];", "mov.u32 %r1, %clock.x;", "cp.async.ca.shared.global [%r1], [%rd1], 3;"} {
		_, err := Parse(".visible .entry k(\n.param .u64 p0\n)\n{\n.reg .b32 %r<4>;\n.reg .b64 %rd<4>;\n" + body + "\nret;\n}\n")
		if err == nil {
			t.Errorf("%s was taken", body)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(".visible .entry k(\n.param .u64 p0\n)\n{\n.reg .b32 %r<4>;\nadd.s32 %r1, %r2, 3;\n$L:\nbra $L;\nret;\n}\n")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Parse(text)
		if (m == nil) == (err == nil) {
			t.Errorf("module %v, error %v", m, err)
		}
	})
}
