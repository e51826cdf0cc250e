package gpu_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/gpu"
	"github.com/clipcap-go/clipcap/internal/gpu/cublas"
	"github.com/clipcap-go/clipcap/internal/gpu/ptxsim"
)

// Products by cuBLASLt, which the simulated driver computes on the host, agree with ours, whatever the epilogue and the mode; what it
// cannot do stays with our kernels.
func TestGemmByBlas(t *testing.T) {
	for _, mode := range []gpu.Mode{gpu.Float32, gpu.TF32, gpu.BFloat16, gpu.TF32x3} {
		for trans := range 4 {
			t.Run(fmt.Sprintf("%v/%02b", mode, trans), func(t *testing.T) {
				b := open(t)
				if err := b.dev.UseGemm("cublas"); err != nil {
					t.Skip(err) // a GPU without it
				}
				for _, s := range [][3]int{{9, 1, 1}, {13, 64, 31}, {67, 71, 73}, {16, 8, 100}} {
					for _, extra := range []int{0, 3} {
						product(b, mode, trans&1 != 0, trans&2 != 0, s[0], s[1], s[2], extra)
					}
				}
				if got := slices.Contains(b.rec.Launches(), gpu.BlasKernel); got != (mode != gpu.TF32x3) {
					t.Errorf("cuBLASLt was used: %v", got)
				}
			})
		}
	}
}

// Bias and residual are cuBLASLt's own, the residual in the result's place too.
func TestBlasAddsBiasAndResidual(t *testing.T) {
	b := open(t)
	if err := b.dev.UseGemm("cublas"); err != nil {
		t.Skip(err)
	}
	const m, n, k = 11, 5, 3
	x, w, bias, c := b.random(m*k), b.random(k*n), b.random(n), b.random(m*n)
	at := b.dense(c, m, n)
	b.must(b.dev.Gemm(at, b.dense(x, m, k), false, b.dense(w, k, n), false, gpu.Float32, gpu.Epilogue{Bias: b.dense(bias, 1, n), Residual: at}))
	want := make([]float32, m*n)
	for i := range m {
		for j := range n {
			s := float64(c[i*n+j]) + float64(bias[j])
			for l := range k {
				s += float64(x[i*k+l]) * float64(w[l*n+j])
			}
			want[i*n+j] = float32(s)
		}
	}
	b.check("c", at, want, 1e-6)
	if names := b.rec.Launches(); !slices.Equal(names, []string{gpu.BlasKernel}) {
		t.Errorf("launches %v", names)
	}
}

// Where the driver has no cuBLASLt, auto is ptx and cublas an error that says why.
func TestUseGemm(t *testing.T) {
	b := open(t)
	if err := b.dev.UseGemm("magic"); err == nil || !strings.Contains(err.Error(), gpu.Gemms) {
		t.Errorf("magic: %v", err)
	}
	dev, err := gpu.NewDevice(plain{&gpu.Recorder{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := dev.UseGemm("auto"); err != nil {
		t.Error(err)
	}
	if dev.WantsHalf(4096, 4096, 4096, true, gpu.BFloat16, false) || dev.WantsHalf(4096, 4096, 4096, false, gpu.BFloat16, true) ||
		!dev.WantsHalf(4096, 4096, 4096, false, gpu.BFloat16, false) {
		t.Error("our kernels read a right operand in bfloat16 where the left is not transposed")
	}
	if err := dev.UseGemm("cublas"); !errors.Is(err, errMissing) {
		t.Errorf("cublas without cuBLASLt: %v", err)
	}
}

// plain is a driver without cuBLASLt.
type plain struct{ gpu.Driver }

var errMissing = errors.New("libcublasLt.so.13: cannot open shared object file")

func (plain) Blas() error { return errMissing }

func (plain) BlasPlan(*cublas.Product) error { return errMissing }

// Products with a weight that is there in bfloat16 read that, few rows and many, in small tiles and large ones.
func TestReadsHalf(t *testing.T) {
	for _, trans := range []bool{false, true} {
		for _, s := range [][4]int{{1, 1, 1}, {3, 37, 41}, {8, 70, 66}, {5, 33, 7}, {9, 1, 1}, {67, 71, 73}, {65, 68, 36}, {130, 133, 70, 1}, {128, 132, 64, 1}} {
			b := open(t)
			m, n, k := s[0], s[1], s[2]
			least := 1 << 30
			if s[3] == 1 {
				least = 1
			}
			gpu.SetLargeTiles(t, least)
			x, w := b.random(m*k), b.random(k*n)
			weight := b.dense(w, k, n)
			if trans {
				weight = b.dense(w, n, k)
			}
			half := b.dense(make([]float32, (k*n+1)/2), 1, (k*n+1)/2)
			b.dev.ToHalf(half.Ptr, weight.Ptr, k*n)
			weight.Half = half.Ptr
			exact, read := b.zeros(m, n), b.zeros(m, n)
			b.must(b.dev.Gemm(read, b.dense(x, m, k), false, weight, trans, gpu.BFloat16, gpu.Epilogue{}))
			b.must(b.dev.Gemm(exact, b.dense(x, m, k), false, weight, trans, gpu.Float32, gpu.Epilogue{}))
			b.check("rows", read, b.down(exact), 8e-3)
			if name := b.rec.Launches()[1]; !strings.HasSuffix(name, "_bf16") || strings.Contains(name, "_large") != (s[3] == 1) {
				t.Errorf("%v: by %s", s, name)
			}
			if slices.Equal(b.down(read), b.down(exact)) && k > 1 {
				t.Error("the weight was read in float32")
			}
		}
	}
}

// wayless is a simulated driver whose cuBLASLt has no way to do any product.
type wayless struct{ *ptxsim.Driver }

func (wayless) BlasPlan(*cublas.Product) error { return errMissing }

// What cuBLASLt has no way to do our own kernels compute.
func TestBlasHasNoWay(t *testing.T) {
	for _, mode := range []gpu.Mode{gpu.Float32, gpu.BFloat16} {
		b := on(t, wayless{ptxsim.NewDriver(1 << 26)})
		b.must(b.dev.UseGemm("cublas"))
		product(b, mode, false, true, 13, 64, 31, 0)
		if names := b.rec.Launches(); slices.Contains(names, gpu.BlasKernel) || !slices.Contains(names, "gemm_"+mode.String()+"_nt") {
			t.Errorf("launches %v", names)
		}
	}
}
