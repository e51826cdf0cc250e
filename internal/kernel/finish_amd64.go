//go:build amd64 && !noasm

package kernel

import "unsafe"

// finishBlock is what the kernels below work on: c = sum·scale + bias + residual for rows × cols, of which cols is a multiple of 16 and any
// of the three may be nil.
type finishBlock struct {
	c, sum, residual                   *float32
	scale, bias                        *float32
	rows, cols                         int
	strideC, strideSum, strideResidual int
}

// blockArch is rows for sums that do not lie in c, if the assembly can do it: it spares a call for every row and step.
func (f *finisher) blockArch(sum []float32, stride int, c *Matrix, i0, i1, j0, j1 int) bool {
	if isa < AVX2 || (j1-j0)%16 != 0 || i1 == i0 || f.elsewhere() || f.rounded != nil || f.hasPre || f.hasGrad || f.positive || f.act != None && stride != j1-j0 {
		return false
	}
	b := finishBlock{sum: &sum[0], rows: i1 - i0, cols: j1 - j0, strideSum: stride}
	if f.scale != nil {
		b.scale = unsafe.SliceData(f.scale[j0:j1])
	}
	if f.bias != nil {
		b.bias = unsafe.SliceData(f.bias[j0:j1])
	}
	if f.act != None {
		if b.scale != nil || b.bias != nil {
			b.c, b.strideC = b.sum, stride
			b.run()
		}
		v := sum[:(i1-i0)*stride]
		actRow(v, v, f.act)
		b.scale, b.bias = nil, nil
	}
	b.c, b.strideC = unsafe.SliceData(c.V[i0*c.Stride+j0:(i1-1)*c.Stride+j1]), c.Stride
	if f.hasAdded {
		r := &f.residual
		b.residual, b.strideResidual = unsafe.SliceData(r.V[i0*r.Stride+j0:(i1-1)*r.Stride+j1]), r.Stride
	}
	b.run()
	return true
}

func (b *finishBlock) run() {
	if isa >= AVX512 {
		finishBlockAVX512(b)
	} else {
		finishBlockAVX2(b)
	}
}

//go:noescape
func finishBlockAVX512(b *finishBlock)

//go:noescape
func finishBlockAVX2(b *finishBlock)
