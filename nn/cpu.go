package nn

import (
	"context"
	"sync"

	"github.com/clipcap-go/clipcap/internal/kernel"
)

// Precision says how exactly matrix products are computed; see the constants.
type Precision = kernel.Precision

// The precisions, named as PyTorch's matmul precision. All accumulate in float32.
const (
	Float32  = kernel.Float32  // float32's own error
	High     = kernel.High     // error below 1e-6 of |row|·|column|; plain float32 where there is no AMX
	BFloat16 = kernel.BFloat16 // operands rounded to bfloat16
)

// ParsePrecision reads float32, high or bfloat16.
func ParsePrecision(name string) (Precision, error) { return kernel.ParsePrecision(name) }

// WeightFormat is how a backend keeps the weights it multiplies by.
type WeightFormat int

// The weight formats. All but WeightsByPrecision keep activations in float32, and serve decoding, where
// reading weights is all the time there is.
const (
	WeightsByPrecision WeightFormat = iota
	WeightsFloat32
	WeightsBFloat16
	WeightsInt8 // one scale a column of the product
)

// CPU is the backend on the processor's cores. It may be shared by machines that run at the same time,
// and keeps the weights they share packed for its kernels.
type CPU struct {
	precision Precision
	weights   WeightFormat

	mu    sync.Mutex
	packs map[packKey]*pack
	calls freeList[call]
	loss  freeList[lossScratch]
	spare freeList[lossScratch]  // large enough to keep logits
	kept  map[place]*lossScratch // logits between a loss and its gradient
	top   freeList[topScratch]
	once  freeList[kernel.Packed]
	links freeList[between]
}

// NewCPU is a CPU backend whose products have the given precision.
func NewCPU(p Precision) *CPU {
	return &CPU{precision: p, packs: map[packKey]*pack{}, kept: map[place]*lossScratch{}}
}

// NewCPUWeights is a CPU backend for what only reads its weights, with these in a format of their own.
func NewCPUWeights(p Precision, w WeightFormat) *CPU {
	c := NewCPU(p)
	c.weights = w
	return c
}

// hostBuffer is memory of the CPU backend.
type hostBuffer struct {
	f     []float32
	i     []int32
	h     []uint16                             // bfloat16: keys and values that are kept rounded
	taken *kernel.Packed                       // in place of f: a table that is kept as the transpose of this alone
	rows  func(dst []float32, first int) error // in place of f: reads rows of what another backend holds
}

func (b *hostBuffer) Len() int { return len(b.f) + len(b.i) + len(b.h) }

// Name is "cpu".
func (*CPU) Name() string { return "cpu" }

// Alloc makes a zeroed buffer that begins on a cache line.
func (*CPU) Alloc(t DType, n int) (Buffer, error) {
	if t == Int32 {
		return &hostBuffer{i: make([]int32, n)}, nil
	}
	return &hostBuffer{f: kernel.Aligned(n)}, nil
}

// allocRounded is rounder's: where activations are rounded to bfloat16 before every product, keys and values are so in the cache.
func (c *CPU) allocRounded(n int) (Buffer, error) {
	if c.precision != BFloat16 || c.weights != WeightsByPrecision {
		return c.Alloc(Float, n)
	}
	return &hostBuffer{h: kernel.AlignedRounded(n)}, nil
}

// Free leaves the memory to the garbage collector.
func (*CPU) Free(b Buffer) {
	if h, ok := b.(*hostBuffer); ok {
		h.f, h.i, h.h = nil, nil, nil
	}
}

// Write copies floats in.
func (*CPU) Write(dst Buffer, off int, src []float32) error {
	copy(dst.(*hostBuffer).f[off:], src)
	return nil
}

// WriteInts copies integers in.
func (*CPU) WriteInts(dst Buffer, off int, src []int32) error {
	copy(dst.(*hostBuffer).i[off:], src)
	return nil
}

// Read copies floats out.
func (*CPU) Read(dst []float64, src Buffer, off int) error {
	b := src.(*hostBuffer)
	if b.h != nil {
		wide := make([]float32, len(dst))
		kernel.BF16ToF32(wide, b.h[off:][:len(dst)])
		b, off = &hostBuffer{f: wide}, 0
	}
	for i, x := range b.f[off:][:len(dst)] {
		dst[i] = float64(x)
	}
	return nil
}

// borrows: inputs are read where they are.
func (*CPU) borrows() {}

// Parameter is p's own memory.
func (c *CPU) Parameter(p *Param) (Buffer, error) { return p.hostBuffer(), nil }

// Begin does nothing.
func (*CPU) Begin(context.Context) error { return nil }

// End does nothing.
func (*CPU) End() error { return nil }

// matrix is t for the kernels; the zero Matrix for none.
func matrix(t Tensor) kernel.Matrix {
	if t.Form != Numbers {
		panic("nn: a matrix in a smaller form where numbers are wanted")
	}
	if t.None() || t.Rows == 0 {
		return kernel.Matrix{Rows: t.Rows, Cols: t.Cols, Stride: t.Stride}
	}
	f := t.Buf.(*hostBuffer).f[t.Off:]
	return kernel.Matrix{V: f[:(t.Rows-1)*t.Stride+t.Cols], Rows: t.Rows, Cols: t.Cols, Stride: t.Stride}
}

// rounded is t for the kernels, if it is kept so.
func rounded(t Tensor) (kernel.RoundedMatrix, bool) {
	h := t.Buf.(*hostBuffer).h
	if h == nil {
		return kernel.RoundedMatrix{}, false
	}
	return kernel.RoundedMatrix{V: h[t.Off:], Rows: t.Rows, Cols: t.Cols, Stride: t.Stride}, true
}

// vector is a tensor whose rows lie end to end; nil for none.
func vector(t Tensor) []float32 {
	if t.Form != Numbers {
		panic("nn: rows in a smaller form where numbers are wanted")
	}
	if t.None() {
		return nil
	}
	return t.Buf.(*hostBuffer).f[t.Off:][:t.Rows*t.Cols]
}

// indices is an int32 tensor whose rows lie end to end; nil for none.
func indices(t Tensor) []int32 {
	if t.None() {
		return nil
	}
	return t.Buf.(*hostBuffer).i[t.Off:][:t.Rows*t.Cols]
}
