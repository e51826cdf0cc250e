package ptxsim

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/clipcap-go/clipcap/internal/gpu"
	"github.com/clipcap-go/clipcap/internal/gpu/cublas"
)

// Blas tells that products can be computed without a kernel, as cuBLASLt does.
func (d *Driver) Blas() error { return nil }

// BlasPlan finds a way for every product.
func (d *Driver) BlasPlan(*cublas.Product) error { return nil }

// multiply computes what cuBLASLt would, from operands as wide as they are.
func (d *Driver) multiply(l *gpu.Launch) error {
	p := gpu.BlasProduct(l.Args)
	width := 4
	if p.Half {
		width = 2
	}
	result := 4
	if p.HalfC {
		result = 2
	}
	for i, x := range [...]struct {
		at   uint64
		size int
	}{{p.A, width * p.Product.A}, {p.B, width * p.Product.B}, {p.C, result * p.Product.C}} {
		if n := p.Align[i]; n < 2 || x.at%uint64(n) != 0 || x.size%n != 0 {
			return fmt.Errorf("operand %d at %#x with rows %d bytes apart is not aligned to %d", i, x.at, x.size, n)
		}
	}
	number := func(at uint64, half bool) (float64, error) {
		var b [4]byte
		if half {
			err := d.Device.Read(b[2:], at)
			return float64(math.Float32frombits(binary.LittleEndian.Uint32(b[:]))), err
		}
		err := d.Device.Read(b[:], at)
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b[:]))), err
	}
	size := uint64(width)
	for i := range p.M {
		for j := range p.N {
			var s float64
			for k := range p.K {
				ai, bi := i*p.Product.A+k, k*p.Product.B+j
				if p.TransA {
					ai = k*p.Product.A + i
				}
				if p.TransB {
					bi = j*p.Product.B + k
				}
				x, err := number(p.A+size*uint64(ai), p.Half)
				if err != nil {
					return fmt.Errorf("left operand: %w", err)
				}
				y, err := number(p.B+size*uint64(bi), p.Half)
				if err != nil {
					return fmt.Errorf("right operand: %w", err)
				}
				s += x * y
			}
			for _, more := range [...]uint64{p.Bias + uint64(result*j), p.Residual + 4*uint64(i*p.R+j)} {
				if more < globalBase {
					continue // none
				}
				x, err := number(more, p.HalfC)
				if err != nil {
					return err
				}
				s += x
			}
			var b [4]byte
			binary.LittleEndian.PutUint32(b[:], math.Float32bits(float32(s)))
			to := b[:]
			if p.HalfC {
				binary.LittleEndian.PutUint16(to, uint16(bfloat16(float32(s))))
				to = to[:2]
			}
			if err := d.Device.Write(p.C+uint64(result*(i*p.Product.C+j)), to); err != nil {
				return err
			}
		}
	}
	return nil
}
