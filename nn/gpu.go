package nn

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/clipcap-go/clipcap/internal/gpu"
)

// GPU is the backend on an NVIDIA GPU. Values stay in its memory from run to run, and a parameter is uploaded once. It may be
// shared by machines; their runs take turns.
type GPU struct {
	dev  *gpu.Device
	name string
	mode gpu.Mode

	run    sync.Mutex // held from Begin to End
	mu     sync.Mutex
	params map[*Param]*gpuParam
	vocab  int  // words of the vocabulary the loss works on at a time, 0: as the device likes
	dry    bool // computes nothing
	format WeightFormat

	fewRows int // of a result that is never rounded: see keepsBetween
}

// gpuParam is a parameter on the device.
type gpuParam struct {
	version uint64 // of the numbers uploaded, or fetched
	buf     *gpuBuffer
	changes uint64  // of the numbers on the device
	half    gpu.Ptr // the numbers in bfloat16, 0: not wanted yet
	halfOf  uint64  // the changes half is of
	form    *gpuForm
}

// gpuBuffer is memory of a device: float32 or int32, or a parameter that is there in another form alone.
type gpuBuffer struct {
	ptr  gpu.Ptr
	n    int
	form *gpuForm
}

// Len is the number of elements.
func (b *gpuBuffer) Len() int { return b.n }

// NewGPU is the backend on a device, which it owns from then on. It is for this module's tests: programs open a GPU by its name, with ParseDevice
// and Device.Open.
func NewGPU(d *gpu.Device, name string, p Precision) *GPU {
	mode := map[Precision]gpu.Mode{Float32: gpu.Float32, High: gpu.TF32x3, BFloat16: gpu.BFloat16}[p]
	return &GPU{dev: d, name: name, mode: mode, params: map[*Param]*gpuParam{}, fewRows: halfRows}
}

// NewGPUWeights is NewGPU with weights in a format of their own, where they are handed over (Take).
func NewGPUWeights(d *gpu.Device, name string, p Precision, w WeightFormat) *GPU {
	if p == BFloat16 && (w == WeightsFloat32 || w == WeightsInt8) {
		p = High // activations are not to be rounded
	}
	g := NewGPU(d, name, p)
	g.format = w
	return g
}

// Replays tells whether a backend runs a graph faster when the numbers of live rows have come before.
func Replays(be Backend) bool {
	_, ok := be.(*GPU)
	return ok
}

// Name is the device's: "cuda:0", ….
func (g *GPU) Name() string { return g.name }

// Close gives the parameters' memory back and closes the device.
func (g *GPU) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var errs []error
	for _, p := range g.params {
		if p.form != nil {
			errs = append(errs, p.form.free(g.dev))
			continue
		}
		errs = append(errs, g.dev.Free(p.buf.ptr, 4*p.buf.n))
		if p.half != 0 {
			errs = append(errs, g.dev.Free(p.half, 2*p.buf.n))
		}
	}
	clear(g.params)
	return errors.Join(append(errs, g.dev.Close())...)
}

// Alloc makes a zeroed buffer.
func (g *GPU) Alloc(_ DType, n int) (Buffer, error) {
	b, err := g.alloc(n)
	if err != nil {
		return nil, err // and no Buffer that holds a nil
	}
	return b, nil
}

func (g *GPU) alloc(n int) (*gpuBuffer, error) {
	p, err := g.dev.Alloc(4 * max(1, n))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", g.name, err)
	}
	return &gpuBuffer{ptr: p, n: n}, nil
}

// Free gives a buffer back.
func (g *GPU) Free(b Buffer) {
	if d, ok := b.(*gpuBuffer); ok && d.ptr != 0 {
		_ = g.dev.Free(d.ptr, 4*max(1, d.n)) // a lost device is reported by the next run
		d.ptr = 0
	}
}

// at4 is the address of an element of four bytes.
func at4(b Buffer, off int) gpu.Ptr {
	d := b.(*gpuBuffer)
	if d.form != nil {
		panic("nn: a parameter that was handed over is no operand of this operation")
	}
	return d.ptr + gpu.Ptr(4*off)
}

// Write uploads floats.
func (g *GPU) Write(dst Buffer, off int, src []float32) error {
	return gpu.Upload(g.dev, at4(dst, off), src)
}

// WriteInts uploads integers.
func (g *GPU) WriteInts(dst Buffer, off int, src []int32) error {
	return gpu.Upload(g.dev, at4(dst, off), src)
}

// Read downloads floats.
func (g *GPU) Read(dst []float64, src Buffer, off int) error {
	narrow := make([]float32, len(dst))
	if err := gpu.Download(g.dev, narrow, at4(src, off)); err != nil {
		return err
	}
	for i, x := range narrow {
		dst[i] = float64(x)
	}
	return nil
}

// Parameter is p on the device, uploaded when p has changed on the host.
func (g *GPU) Parameter(p *Param) (Buffer, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.parameter(p)
}

func (g *GPU) parameter(p *Param) (*gpuBuffer, error) {
	v := p.Version()
	gp := g.params[p]
	if gp != nil && gp.version == v {
		return gp.buf, nil
	}
	if gp != nil && gp.form != nil || p.Data == nil {
		return nil, fmt.Errorf("the numbers of parameter %s %v were handed to a backend and cannot be brought here", p.Name, p.Shape)
	}
	if gp == nil {
		b, err := g.alloc(len(p.Data))
		if err != nil {
			return nil, fmt.Errorf("parameter %s %v: %w", p.Name, p.Shape, err)
		}
		gp = &gpuParam{buf: b}
		g.params[p] = gp
	}
	if err := gpu.Upload(g.dev, gp.buf.ptr, p.Data); err != nil {
		return nil, fmt.Errorf("upload parameter %s: %w", p.Name, err)
	}
	gp.version = v
	gp.changes++
	return gp.buf, nil
}

// half is where p's numbers lie in bfloat16, rounded again if they have changed.
func (g *GPU) half(p *Param) (gpu.Ptr, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := g.parameter(p); err != nil {
		return 0, err
	}
	gp := g.params[p]
	if gp.half == 0 {
		at, err := g.dev.Alloc(2 * gp.buf.n)
		if err != nil {
			return 0, fmt.Errorf("parameter %s %v in bfloat16: %s: %w", p.Name, p.Shape, g.name, err)
		}
		gp.half, gp.halfOf = at, gp.changes-1
	}
	if gp.halfOf != gp.changes {
		g.dev.ToHalf(gp.half, gp.buf.ptr, gp.buf.n)
		gp.halfOf = gp.changes
	}
	return gp.half, nil
}

// weight is the right operand of a product of m by n, depth k, with its numbers in bfloat16 where the product reads those.
func (g *GPU) weight(b Operand, m, n, k int, transA bool) (gpu.Matrix, error) {
	w := table(b.Tensor)
	if w.Ptr == 0 || b.Weight == nil || !g.dev.WantsHalf(m, n, k, transA, g.mode, b.Once) {
		return w, nil
	}
	half, err := g.half(b.Weight)
	if err != nil {
		return w, err
	}
	w.Half = half + gpu.Ptr(2*b.Off)
	return w, nil
}

// rehearse is a backend on a device of the same kind that computes nothing and has so much memory, bytes, beside what
// g holds, of which held is counted in the room again.
func (g *GPU) rehearse(room, held int64) *GPU {
	g.mu.Lock()
	defer g.mu.Unlock()
	r := &GPU{dev: g.dev.Rehearse(room, held), name: g.name, mode: g.mode, params: map[*Param]*gpuParam{}, vocab: g.vocab, dry: true, format: g.format, fewRows: g.fewRows}
	for p, at := range g.params {
		c := *at
		r.params[p] = &c
	}
	return r
}

// Begin waits for other machines' runs.
func (g *GPU) Begin(context.Context) error { g.run.Lock(); return nil }

// End hands the run's launches to the device; reading a result waits for it.
func (g *GPU) End() error {
	defer g.run.Unlock()
	return g.dev.Flush()
}

// gm is t for the device; the zero Matrix for none.
func gm(t Tensor) gpu.Matrix {
	if t.None() {
		return gpu.Matrix{}
	}
	if t.Form == Rounded {
		return gpu.Matrix{Half: at4(t.Buf, t.Off), Rows: t.Rows, Cols: t.Cols, Stride: t.Stride}
	}
	return gpu.Matrix{Ptr: at4(t.Buf, t.Off), Rows: t.Rows, Cols: t.Cols, Stride: t.Stride}
}

// gi is the address of an int32 tensor, 0 for none.
func gi(t Tensor) gpu.Ptr {
	if t.None() {
		return 0
	}
	return at4(t.Buf, t.Off)
}

var gpuActivations = [...]gpu.Activation{
	NoActivation: gpu.NoActivation, GELUTanhAct: gpu.GELUTanh, QuickGELUAct: gpu.QuickGELU,
	GELUErfAct: gpu.GELUErf, ReLUAct: gpu.ReLU, TanhAct: gpu.Tanh,
}

func gpuEpilogue(ep *Epilogue) gpu.Epilogue {
	if ep == nil {
		return gpu.Epilogue{}
	}
	return gpu.Epilogue{Bias: gm(ep.Bias), Pre: gm(ep.Pre), Act: gpuActivations[ep.Act],
		GradOf: gpuActivations[ep.GradOf], GradPre: gm(ep.GradPre), Residual: gm(ep.Residual), Positive: ep.Positive}
}
