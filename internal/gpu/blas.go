package gpu

import (
	"errors"
	"fmt"

	"github.com/clipcap-go/clipcap/internal/gpu/cublas"
)

// BlasDriver is a Driver that may have cuBLASLt, which takes launches of BlasKernel.
type BlasDriver interface {
	Driver
	// Blas is nil where products can be computed so, else why not.
	Blas() error
	// BlasPlan is nil where it has a way to do a product.
	BlasPlan(p *cublas.Product) error
}

// BlasKernel names launches that are no kernel of ours but a product by cuBLASLt.
const BlasKernel = "cublasLt"

var errNoBlas = errors.New("this driver has no cuBLASLt")

// BlasCall is what a launch of BlasKernel stands for.
type BlasCall struct {
	cublas.Product
	C, A, B, Bias, Residual, Workspace uint64
}

// blasLaunch packs a call into arguments, as all launches have them, so that sequences of launches are compared and captured alike.
func blasLaunch(c *BlasCall) Launch {
	flags := uint64(0)
	for i, on := range [...]bool{c.TransA, c.TransB, c.Half, c.TF32, c.Product.Bias, c.HalfC} {
		if on {
			flags |= 1 << i
		}
	}
	for i, n := range c.Align {
		flags |= uint64(n) << (8 + 12*i)
	}
	return Launch{Kernel: BlasKernel, Args: []uint64{c.C, c.A, c.B, c.Bias, c.Residual, c.Workspace, uint64(c.M), uint64(c.N), uint64(c.K),
		uint64(c.Product.A), uint64(c.Product.B), uint64(c.Product.C), uint64(c.R), flags}}
}

// BlasProduct is the inverse of blasLaunch.
func BlasProduct(args []uint64) BlasCall {
	n := func(i int) int { return int(args[i]) }
	flags := args[13]
	c := BlasCall{C: args[0], A: args[1], B: args[2], Bias: args[3], Residual: args[4], Workspace: args[5]}
	c.Product = cublas.Product{M: n(6), N: n(7), K: n(8), A: n(9), B: n(10), C: n(11), R: n(12),
		TransA: flags&1 != 0, TransB: flags&2 != 0, Half: flags&4 != 0, TF32: flags&8 != 0, Bias: flags&16 != 0, HalfC: flags&32 != 0}
	for i := range c.Align {
		c.Align[i] = int(flags >> (8 + 12*i) & 0xfff)
	}
	return c
}

// Gemms is what UseGemm takes, for the help of commands.
const Gemms = "auto, ptx or cublas"

// UseGemm says what computes products, which is ptx until then: ptx, our own kernels; cublas, cuBLASLt wherever it can; auto, cuBLASLt where it is present and the
// product is large. Few rows, and what is to be nearly float32 on tensor cores, are our own kernels' in any case.
func (d *Device) UseGemm(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if name != "auto" && name != "ptx" && name != "cublas" {
		return fmt.Errorf("products by %q: want %s", name, Gemms)
	}
	d.blas, d.always = false, false
	if name == "ptx" {
		return nil
	}
	err := errNoBlas
	if b, ok := d.raw.(BlasDriver); ok {
		err = b.Blas()
	}
	if err != nil && name == "cublas" {
		return fmt.Errorf("products by cublas: %w", err)
	}
	d.blas, d.always = err == nil, name == "cublas"
	return nil
}

// blasLeast is the product of the sizes from which on auto takes cuBLASLt.
var blasLeast = 1 << 28

// byBlas tells whether a product of these sizes is cuBLASLt's.
func (d *Device) byBlas(m, n, k int, transA bool, mode Mode) bool {
	if !d.blas || k == 0 || m <= few && !transA || mode == TF32x3 {
		return false
	}
	return d.always || mode != Float32 && m*n*k >= blasLeast
}

// WantsHalf tells whether a product had better read its right operand in bfloat16 (Matrix.Half). once: the operand changes before it is
// read again, so that rounding it pays only for what cannot do without.
func (d *Device) WantsHalf(m, n, k int, transA bool, mode Mode, once bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return mode == BFloat16 && (!transA && (m <= few || !once) || d.byBlas(m, n, k, transA, mode))
}

// viaBlas queues a product for cuBLASLt, and tells whether it did: not where it cannot be done so, the library has no way, or scratch memory
// finds no room.
func (d *Device) viaBlas(c, a Matrix, transA bool, b Matrix, transB bool, k int, mode Mode, e Epilogue) bool {
	m, n := c.Rows, c.Cols
	simple := e.Act == NoActivation && e.GradOf == NoActivation && e.Pre.None() && !e.Positive && !(c.inHalf() && !e.Residual.None())
	if !d.byBlas(m, n, k, transA, mode) || !simple && !e.Residual.None() && e.Residual.Ptr == c.Ptr || c.inHalf() && mode != BFloat16 {
		return false
	}
	// What is kept before an activation may be all that cuBLASLt writes.
	toPre := c.inHalf() && e.Pre.inHalf() && e.Act != NoActivation && e.GradOf == NoActivation && e.Residual.None() && !e.Positive &&
		c.Stride == n && e.Pre.Stride == n
	to := c
	if toPre {
		to = e.Pre
	}
	if b.Ptr == 0 && (mode != BFloat16 || b.Half == 0) {
		var err error
		if b, err = d.widened(b); err != nil {
			return false
		}
	}
	workspace, err := d.temporary("cublas", cublas.Workspace)
	if err != nil {
		return false
	}
	p := &BlasCall{C: uint64(to.at()), A: uint64(a.Ptr), B: uint64(b.Ptr), Workspace: uint64(workspace)}
	p.Product = cublas.Product{M: m, N: n, K: k, TransA: transA, TransB: transB, A: a.Stride, B: b.Stride, C: to.Stride, HalfC: to.inHalf(), TF32: mode == TF32}
	if mode == BFloat16 {
		p.Half = true
		half, stride, err := d.halved("left operand", a)
		if err != nil {
			return false
		}
		p.A, p.Product.A = uint64(half), stride
		if b.Half != 0 {
			p.B = uint64(b.Half)
		} else {
			if half, stride, err = d.halved("right operand", b); err != nil {
				return false
			}
			p.B, p.Product.B = uint64(half), stride
		}
	}
	if (simple || toPre) && !e.Bias.None() {
		p.Bias, p.Product.Bias = uint64(e.Bias.Ptr), true
		if p.HalfC { // it takes no other
			half, _, err := d.halved("bias", e.Bias)
			if err != nil {
				return false
			}
			p.Bias = uint64(half)
		}
	}
	if simple && !e.Residual.None() {
		p.Residual, p.R = uint64(e.Residual.Ptr), e.Residual.Stride
	}
	size := 4
	if p.Half {
		size = 2
	}
	residual, rs := p.Residual, p.R
	if residual == 0 {
		residual, rs = p.C, to.Stride
	}
	result := 4
	if p.HalfC {
		result = 2
	}
	p.Align = [4]int{alignment(p.A, size*p.Product.A), alignment(p.B, size*p.Product.B), alignment(p.C, result*to.Stride), alignment(residual, result*rs)}
	if b, ok := d.raw.(BlasDriver); ok && b.BlasPlan(&p.Product) != nil {
		return false // none for such rows: our own kernels take any
	}
	d.queue = append(d.queue, blasLaunch(p))
	switch {
	case toPre:
		d.activate(c, e.Pre, e.Act)
	case !simple:
		d.run("finish_rows", line(up(m*n, 1024)), line(256), 0, append([]any{c.at(), c.Stride, m * n, n}, e.args(c)...)...)
	}
	return true
}

// alignment is the largest power of two up to 256 that divides an address and the distance of rows.
func alignment(at uint64, stride int) int {
	x := at | uint64(stride) | 256
	return int(x & -x)
}

// halved is where a matrix lies in bfloat16; where it does not, its rounding to scratch memory is queued, rows on 16 bytes.
func (d *Device) halved(name string, m Matrix) (at Ptr, stride int, err error) {
	if m.inHalf() {
		return m.Half, m.Stride, nil
	}
	stride = up(m.Cols, 8) * 8
	if at, err = d.temporary(name, 2*m.Rows*stride); err == nil {
		d.toHalf(at, stride, m)
	}
	return at, stride, err
}

func (d *Device) toHalf(at Ptr, stride int, m Matrix) {
	pairs := m.Rows * up(m.Cols, 2)
	d.overElements("to_bf16", pairs, at, stride, m.Ptr, m.Stride, pairs, m.Cols)
}

// ToHalf rounds n numbers to bfloat16.
func (d *Device) ToHalf(dst, src Ptr, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.toHalf(dst, n, Matrix{Ptr: src, Rows: 1, Cols: n, Stride: n})
}
