//go:build !noasm && !race

package amxemu

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"golang.org/x/sys/cpu"
)

// machine runs instructions given as bytes.
type machine struct {
	t    thread
	uc   context
	text [16]byte
	mem  [8192]byte
}

var machines []*machine // so that they lie on the heap, where nothing moves

func newMachine() *machine {
	m := new(machine)
	machines = append(machines, m)
	return m
}

const (
	rax = 13
	rcx = 14
	r9  = 1
	r10 = 2
)

// run carries out one instruction and returns the length step gave.
func (m *machine) run(code ...byte) int {
	copy(m.text[:], code)
	m.point(rip, &m.text[0])
	return int(m.t.step(&m.uc))
}

// point makes a register the address of p, a byte of m.
func (m *machine) point(reg int, p *byte) { m.uc.reg[reg] = uintptr(unsafe.Pointer(p)) }

// configure runs LDTILECFG [rax] and returns its length.
func (m *machine) configure(c row) int {
	copy(m.mem[:], c[:])
	m.point(rax, &m.mem[0])
	return m.run(0xc4, 0xe2, 0x78, 0x49, 0x00)
}

// shapes configures tile i with the i-th pair of rows and bytes a row.
func (m *machine) shapes(t *testing.T, shape ...[2]int) {
	t.Helper()
	var c row
	c[0] = 1
	for i, s := range shape {
		c[48+i] = byte(s[0])
		binary.LittleEndian.PutUint16(c[16+2*i:], uint16(s[1]))
	}
	if n := m.configure(c); n != 5 {
		t.Fatalf("LDTILECFG took %d bytes, want 5", n)
	}
}

func TestLoadAndStore(t *testing.T) {
	m := newMachine()
	m.shapes(t, [2]int{16, 64}, [2]int{3, 20}, [2]int{16, 64})
	src, dst := m.mem[:4096], m.mem[4096:]
	clear(dst)
	for i := range src {
		src[i] = byte(i*7 + i>>8)
	}
	m.t.tile[1][0][60], m.t.tile[1][9][0] = 1, 1
	m.point(r10, &src[0])
	m.uc.reg[r9] = 50
	// TILELOADD tmm1, [r10 + r9*2 + 8]
	if n := m.run(0xc4, 0x82, 0x7b, 0x4b, 0x4c, 0x4a, 0x08); n != 7 {
		t.Fatalf("TILELOADD took %d bytes, want 7", n)
	}
	for i, r := range m.t.tile[1] {
		for j, got := range r {
			want := byte(0)
			if i < 3 && j < 20 {
				want = src[8+100*i+j]
			}
			if got != want {
				t.Fatalf("row %d byte %d is %d, want %d", i, j, got, want)
			}
		}
	}
	m.point(rcx, &dst[0])
	// TILESTORED [rcx + r9 + 256], tmm1
	if n := m.run(0xc4, 0xa2, 0x7a, 0x4b, 0x8c, 0x09, 0, 1, 0, 0); n != 10 {
		t.Fatalf("TILESTORED took %d bytes, want 10", n)
	}
	for i, got := range dst {
		want := byte(0)
		if r, j := (i-256)/50, (i-256)%50; i >= 256 && r < 3 && j < 20 {
			want = src[8+100*r+j]
		}
		if got != want {
			t.Fatalf("byte %d is %d, want %d", i, got, want)
		}
	}
}

// bf16 takes x, which is exact in bfloat16.
func bf16(x float32) uint32 { return math.Float32bits(x) >> 16 }

// multiplies skips a test where tiles cannot be multiplied: dotRows is AVX-512, which every user of the emulator has.
func multiplies(t *testing.T) {
	t.Helper()
	if !cpu.X86.HasAVX512F || !cpu.X86.HasAVX512BW {
		t.Skip("the processor has no AVX-512, by which tiles are multiplied")
	}
}

func TestMultiply(t *testing.T) {
	multiplies(t)
	const rows, pairs, cols = 5, 7, 11
	m := newMachine()
	m.shapes(t, [2]int{rows, 4 * cols}, [2]int{rows, 4 * pairs}, [2]int{pairs, 4 * cols})
	rng := rand.New(rand.NewPCG(1, 2))
	var want [rows][cols]float32
	var a [rows][2 * pairs]float32
	var b [2 * pairs][cols]float32
	for i := range a {
		for k := range a[i] {
			a[i][k] = float32(rng.IntN(17) - 8)
			at := binary.LittleEndian.Uint32(m.t.tile[1][i][k/2*4:])
			binary.LittleEndian.PutUint32(m.t.tile[1][i][k/2*4:], at|bf16(a[i][k])<<(k%2*16))
		}
	}
	for k := range b {
		for j := range b[k] {
			b[k][j] = float32(rng.IntN(17) - 8)
			at := binary.LittleEndian.Uint32(m.t.tile[2][k/2][4*j:])
			binary.LittleEndian.PutUint32(m.t.tile[2][k/2][4*j:], at|bf16(b[k][j])<<(k%2*16))
		}
	}
	for i := range want {
		for j := range want[i] {
			want[i][j] = float32(i*100 + j)
			binary.LittleEndian.PutUint32(m.t.tile[0][i][4*j:], math.Float32bits(want[i][j]))
			for k := range b {
				want[i][j] += a[i][k] * b[k][j]
			}
		}
	}
	if n := m.run(0xc4, 0xe2, 0x6a, 0x5c, 0xc1); n != 5 { // TDPBF16PS tmm0, tmm1, tmm2
		t.Fatalf("TDPBF16PS took %d bytes, want 5", n)
	}
	for i := range 16 {
		for j := range 16 {
			w := float32(0)
			if i < rows && j < cols {
				w = want[i][j]
			}
			if got := math.Float32frombits(binary.LittleEndian.Uint32(m.t.tile[0][i][4*j:])); got != w {
				t.Fatalf("element (%d, %d) is %v, want %v", i, j, got, w)
			}
		}
	}
}

// Subnormals are zero on the way in and on the way out; infinities and NaNs go their way.
func TestMultiplySpecial(t *testing.T) {
	multiplies(t)
	inf := float32(math.Inf(1))
	for _, c := range []struct{ a, b, want float32 }{
		{math.Float32frombits(0x00010000), 0x1p100, 0},
		{0x1p-70, 0x1p-70, 0},
		{0x1p-63, 0x1p-63, 0x1p-126},
		{0x1p100, 0x1p100, inf},
		{inf, -1, -inf},
	} {
		m := newMachine()
		m.shapes(t, [2]int{1, 4}, [2]int{1, 4}, [2]int{1, 4})
		binary.LittleEndian.PutUint32(m.t.tile[1][0][:], bf16(c.a)<<16)
		binary.LittleEndian.PutUint32(m.t.tile[2][0][:], bf16(c.b)<<16)
		if n := m.run(0xc4, 0xe2, 0x6a, 0x5c, 0xc1); n != 5 {
			t.Fatal("TDPBF16PS refused")
		}
		if got := math.Float32frombits(binary.LittleEndian.Uint32(m.t.tile[0][0][:])); got != c.want {
			t.Errorf("%g·%g = %g, want %g", c.a, c.b, got, c.want)
		}
	}
}

// What the processor would refuse is refused.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		what  string
		shape [][2]int
		code  []byte
	}{
		{"a tile without a shape", nil, []byte{0xc4, 0xe2, 0x7b, 0x49, 0xc0}},
		{"the same tile twice", [][2]int{{16, 64}, {16, 64}}, []byte{0xc4, 0xe2, 0x72, 0x5c, 0xc1}},
		{"rows of c and a", [][2]int{{15, 64}, {16, 64}, {16, 64}}, []byte{0xc4, 0xe2, 0x6a, 0x5c, 0xc1}},
		{"columns of c and b", [][2]int{{16, 60}, {16, 64}, {16, 64}}, []byte{0xc4, 0xe2, 0x6a, 0x5c, 0xc1}},
		{"depth of a and b", [][2]int{{16, 64}, {16, 60}, {16, 64}}, []byte{0xc4, 0xe2, 0x6a, 0x5c, 0xc1}},
		{"TDPBSSD", [][2]int{{16, 64}, {16, 64}, {16, 64}}, []byte{0xc4, 0xe2, 0x6b, 0x5e, 0xc1}},
		{"UD2", nil, []byte{0x0f, 0x0b}},
	} {
		m := newMachine()
		if c.shape != nil {
			m.shapes(t, c.shape...)
		}
		if n := m.run(c.code...); n != 0 {
			t.Errorf("%s: carried out, want a refusal", c.what)
		}
	}
	for i, bad := range map[int]byte{0: 2, 1: 1, 2: 1, 16: 65, 48: 17, 49: 1, 40: 1, 63: 1} {
		m := newMachine()
		var c row
		c[0], c[16], c[48] = 1, 64, 16
		c[i] = bad
		if n := m.configure(c); n != 0 {
			t.Errorf("LDTILECFG with byte %d = %d: carried out, want a refusal", i, bad)
		}
	}
}

// Released tiles have no shape.
func TestRelease(t *testing.T) {
	m := newMachine()
	m.shapes(t, [2]int{16, 64})
	if n := m.run(0xc4, 0xe2, 0x7b, 0x49, 0xc0); n != 5 {
		t.Error("TILEZERO refused")
	}
	if n := m.run(0xc4, 0xe2, 0x78, 0x49, 0xc0); n != 5 {
		t.Error("TILERELEASE refused")
	}
	if n := m.run(0xc4, 0xe2, 0x7b, 0x49, 0xc0); n != 0 {
		t.Error("TILEZERO after TILERELEASE carried out")
	}
}
