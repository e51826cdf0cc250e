//go:build gpu

package cublas

import (
	"math"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"
)

// host opens a stand-in for cuBLASLt that computes on the host.
func host(t *testing.T, source string, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "libcublasLt.so.13")
	if text, err := exec.Command("cc", append([]string{"-O2", "-shared", "-fPIC", "-o", out, source}, args...)...).CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, text)
	}
	return out
}

func address[T any](x []T, at int) uint64 { return uint64(uintptr(unsafe.Pointer(&x[at]))) }

// Products of row-major matrices in every transposition and type, with bias and residual, reach the library in its own terms.
func TestRun(t *testing.T) {
	t.Setenv("CLIPCAP_CUBLAS", host(t, "testdata/host.c"))
	l, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if !strings.Contains(l.Name(), "130100") {
		t.Errorf("name %q", l.Name())
	}
	rng := rand.New(rand.NewPCG(1, 2))
	workspace := make([]byte, Workspace)
	stream := unsafe.Pointer(new(byte))
	for form := range 64 {
		p := Product{M: 5, N: 7, K: 3, TransA: form&1 != 0, TransB: form&2 != 0, Half: form&4 != 0, Bias: form&8 != 0, TF32: form&4 == 0 && form&8 != 0, C: 9, HalfC: form&32 != 0, Align: [4]int{4, 4, 4, 4}}
		if p.HalfC && (!p.Half || form&16 != 0) {
			continue // neither asked for nor possible
		}
		ar, ac, br, bc := p.M, p.K, p.K, p.N
		if p.TransA {
			ar, ac = ac, ar
		}
		if p.TransB {
			br, bc = bc, br
		}
		p.A, p.B = ac+2, bc+4
		if form&16 != 0 {
			p.R = 11
		}
		// Small whole numbers are the same in bfloat16.
		a, b, ah, bh := make([]float32, ar*p.A), make([]float32, br*p.B), make([]uint16, ar*p.A), make([]uint16, br*p.B)
		for i := range a {
			a[i] = float32(rng.IntN(17) - 8)
			ah[i] = uint16(math.Float32bits(a[i]) >> 16)
		}
		for i := range b {
			b[i] = float32(rng.IntN(17) - 8)
			bh[i] = uint16(math.Float32bits(b[i]) >> 16)
		}
		c, bias, res := make([]float32, p.M*p.C), make([]float32, p.N), make([]float32, p.M*11)
		for i := range bias {
			bias[i] = float32(i)
		}
		for i := range res {
			res[i] = float32(i % 5)
		}
		ch, biash := make([]uint16, len(c)), make([]uint16, len(bias))
		for i, x := range bias {
			biash[i] = uint16(math.Float32bits(x) >> 16)
		}
		pc := address(c, 0)
		pa, pb := address(a, 0), address(b, 0)
		if p.Half {
			pa, pb = address(ah, 0), address(bh, 0)
		}
		var pbias, pres uint64
		if p.Bias {
			pbias = address(bias, 0)
			if p.HalfC {
				pbias = address(biash, 0)
			}
		}
		if p.HalfC {
			pc = address(ch, 0)
		}
		if p.R > 0 {
			pres = address(res, 0)
		}
		for range 2 { // the second time the plan is there
			if err := l.Run(&p, pc, pa, pb, pbias, pres, address(workspace, 0), stream); err != nil {
				t.Fatalf("%+v: %v", p, err)
			}
		}
		for i := range p.M {
			for j := range p.N {
				var want float32
				for k := range p.K {
					x, y := i*p.A+k, k*p.B+j
					if p.TransA {
						x = k*p.A + i
					}
					if p.TransB {
						y = j*p.B + k
					}
					want += a[x] * b[y]
				}
				if p.Bias {
					want += bias[j]
				}
				if p.R > 0 {
					want += res[i*p.R+j]
				}
				got := c[i*p.C+j]
				if p.HalfC { // numbers this small are the same in bfloat16
					got = math.Float32frombits(uint32(ch[i*p.C+j]) << 16)
				}
				if got != want {
					t.Fatalf("%+v: (%d, %d) is %g, want %g", p, i, j, got, want)
				}
			}
		}
	}
	if n := len(l.plans); n != 40 {
		t.Errorf("%d plans of 40 products", n)
	}
	deep := Product{M: 1, N: 1, K: 5000, A: 5000, B: 1, C: 1, Align: [4]int{4, 4, 4, 4}}
	if err := l.Run(&deep, 64, 64, 64, 0, 0, 64, stream); err == nil || !strings.Contains(err.Error(), "not supported") {
		t.Errorf("a product that the library cannot do: %v", err)
	}
}

// What is missing is said.
func TestOpenRefuses(t *testing.T) {
	t.Setenv("CLIPCAP_CUBLAS", filepath.Join(t.TempDir(), "none.so"))
	if _, err := Open(); err == nil || !strings.Contains(err.Error(), "none.so") {
		t.Errorf("no such file: %v", err)
	}
	t.Setenv("CLIPCAP_CUBLAS", host(t, "testdata/host.c", "-DcublasLtMatmul=somethingElse"))
	if _, err := Open(); err == nil || !strings.Contains(err.Error(), "no function cublasLtMatmul") {
		t.Errorf("a library without a function: %v", err)
	}
}
