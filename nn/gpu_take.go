package nn

import (
	"errors"
	"fmt"
	"math"

	"github.com/clipcap-go/clipcap/internal/gpu"
	"github.com/clipcap-go/clipcap/internal/kernel"
)

var _ Holder = (*GPU)(nil)

// gpuForm is a parameter that is on the device in bfloat16 or int8 alone.
type gpuForm struct {
	half       gpu.Ptr
	int8       gpu.Ptr
	scales     gpu.Ptr // of int8, one a row (byRow) or one a column
	byRow      bool
	n, columns int
	nScales    int
}

// free gives the memory back.
func (f *gpuForm) free(d *gpu.Device) error {
	if f.half != 0 {
		return d.Free(f.half, 2*f.n)
	}
	var errs []error
	for at, bytes := range map[gpu.Ptr]int{f.int8: f.n, f.scales: 4 * f.nScales} {
		if at != 0 {
			errs = append(errs, d.Free(at, bytes))
		}
	}
	return errors.Join(errs...)
}

// table is t for the device where it may be a parameter in any form: the right operand of a product, or a table whose rows are gathered.
func table(t Tensor) gpu.Matrix {
	if t.None() {
		return gpu.Matrix{}
	}
	f := t.Buf.(*gpuBuffer).form
	if f == nil {
		return gm(t)
	}
	m := gpu.Matrix{Rows: t.Rows, Cols: t.Cols, Stride: t.Stride, ByRow: f.byRow}
	if f.half != 0 {
		m.Half = f.half + gpu.Ptr(2*t.Off)
		return m
	}
	at := t.Off % f.columns
	if f.byRow {
		at = t.Off / f.columns
	}
	m.Int8, m.Scales = f.int8+gpu.Ptr(t.Off), f.scales+gpu.Ptr(4*at)
	return m
}

// Take uploads p in the one form that products read, and lets go of the numbers on the host: bfloat16 where that is the precision or the format
// of weights, int8, or float32. Where the device has no room p stays as it is, and the run that needs it tells. It must not run beside
// machines that use p.
func (g *GPU) Take(p *Param, transposed bool) {
	if p.Data == nil || g.dry {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.params[p] != nil { // graphs may hold its address
		return
	}
	gp, err := g.take(p, transposed)
	if err != nil {
		return
	}
	g.params[p] = gp
	p.Data, p.host = nil, hostBuffer{}
	p.host.rows = func(dst []float32, first int) error {
		g.mu.Lock()
		defer g.mu.Unlock()
		return g.rowsOf(gp, dst, first, p.Shape[1])
	}
}

// Exact is Holder's.
func (g *GPU) Exact() bool {
	return g.format == WeightsFloat32 || g.format == WeightsByPrecision && g.mode != gpu.BFloat16
}

// TakeConv is Take: a convolution's weight is the transposed operand of a product.
func (g *GPU) TakeConv(p *Param, _ Conv) { g.Take(p, true) }

// TakePool is Take, for the products that make keys and values.
func (g *GPU) TakePool(p *Param, _ int, _ bool) { g.Take(p, true) }

func (g *GPU) take(p *Param, transposed bool) (*gpuParam, error) {
	n, cols := len(p.Data), p.Shape[len(p.Shape)-1]
	f := &gpuForm{n: n, columns: cols, byRow: transposed}
	gp := &gpuParam{version: p.Version(), changes: 1, buf: &gpuBuffer{n: n, form: f}, form: f}
	var err error
	switch {
	case g.format == WeightsInt8:
		numbers, scales := quantise(p.Data, cols, transposed)
		f.nScales = len(scales)
		if f.int8, err = placed(g, numbers, 1); err == nil {
			f.scales, err = placed(g, scales, 4)
		}
	case g.format == WeightsBFloat16 || g.format == WeightsByPrecision && g.mode == gpu.BFloat16:
		half := make([]uint16, n)
		kernel.F32ToBF16(half, p.Data)
		f.half, err = placed(g, half, 2)
	default:
		gp.form, gp.buf.form = nil, nil
		gp.buf.ptr, err = placed(g, p.Data, 4)
		return gp, err
	}
	if err != nil {
		_ = f.free(g.dev)
	}
	return gp, err
}

// placed is memory of the device with numbers of so many bytes.
func placed[T float32 | uint16 | int8](g *GPU, v []T, size int) (gpu.Ptr, error) {
	at, err := g.dev.Alloc(max(1, len(v)*size))
	if err != nil {
		return 0, err
	}
	if err := gpu.Upload(g.dev, at, v); err != nil {
		return 0, errors.Join(err, g.dev.Free(at, max(1, len(v)*size)))
	}
	return at, nil
}

// quantise rounds as the CPU does: x·127/max|x| to the nearest integer, to even, the maximum taken over a row or a column; one that
// holds an infinity or a NaN becomes NaN altogether.
func quantise(v []float32, cols int, byRow bool) (numbers []int8, scales []float32) {
	rows := len(v) / max(1, cols)
	n := cols
	if byRow {
		n = rows
	}
	numbers, scales = make([]int8, len(v)), make([]float32, n)
	inverse := make([]float32, n)
	each := func(f func(i, k int)) { // for number i and its scale k
		for r := range rows {
			for c := range cols {
				k := c
				if byRow {
					k = r
				}
				f(r*cols+c, k)
			}
		}
	}
	each(func(i, k int) { scales[k] = max(scales[k], float32(math.Abs(float64(v[i])))) }) // keeps a NaN
	for k, m := range scales {
		scales[k] = m / 127
		switch {
		case m-m != 0:
			scales[k] = float32(math.NaN())
		case m > 0:
			inverse[k] = 127 / m
		}
	}
	each(func(i, k int) {
		if f := inverse[k]; f != 0 && f-f == 0 {
			numbers[i] = int8(math.RoundToEven(float64(min(max(v[i]*f, -127), 127))))
		}
	})
	return numbers, scales
}

// rowsOf reads rows of a parameter that was taken.
func (g *GPU) rowsOf(gp *gpuParam, dst []float32, first, cols int) error {
	n := len(dst) / cols
	m := gpu.Matrix{Rows: gp.buf.n / cols, Cols: cols, Stride: cols, Ptr: gp.buf.ptr}
	if gp.form != nil {
		m = table(Tensor{Buf: gp.buf, Rows: m.Rows, Cols: cols, Stride: cols})
	}
	if err := g.dev.Rows(dst[:n*cols], m, first); err != nil {
		return fmt.Errorf("%s: %w", g.name, err)
	}
	return nil
}
