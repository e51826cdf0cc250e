package gpu

import "fmt"

// MostHeadDim is the widest head that attention is fast with.
const MostHeadDim = 128

// Attention are the arguments of attention over packed sequences. Q, K, V and Out are [rows, heads·headDim]; sequence s
// holds the rows QStarts[s] … QStarts[s+1] of Q and KStarts[s] … KStarts[s+1] of K and V, and, where Parent[s] ≥ 0, also
// sees the keys of that sequence, in front of its own.
type Attention struct {
	Q, K, V, Out             Matrix
	LSE                      Matrix // [rows, heads], log of the softmax's denominator
	QStarts, KStarts, Parent Ptr    // int32; Parent may be none
	Sequences                int
	Heads                    int
	Scale                    float32
	Causal                   bool
	Drop                     Mask
	DOut, DQ, DK, DV         Matrix // gradients
	Mode                     Mode   // Float32: ordinary arithmetic; BFloat16: on tensor cores; else there with operands in two tf32 parts
}

// plan is how heads of dim are worked on: what follows a kernel's name, and the rows and the shared memory of a block.
type plan struct {
	suffix       string
	rows, shared int
}

// tensorCores tells whether attention in this mode is on them.
func tensorCores(mode Mode, dim int) bool { return mode != Float32 && dim <= MostHeadDim }

// plan is for a kernel that has so many matrices' rows of its own in shared memory, two tiles of the other side's beside them, and, where heads
// are wider than the other kernels take, so many sums a row.
func (d *Device) plan(mode Mode, dim, own, sums int) (p plan, err error) {
	switch {
	case dim > MostHeadDim:
		p = plan{"_wide", 4, 4 * 4 * sums * dim}
	case mode == Float32:
		p = plan{"", attentionRows, 0}
	default:
		name, bytes, width, tile := "_tf32x3", 4, 64, 32
		if mode == BFloat16 {
			name, bytes = "_bf16", 2
		}
		if dim > 64 {
			width = 128
			if mode != BFloat16 || own > 1 {
				tile = 16
			}
		}
		p = plan{fmt.Sprintf("%s_%d", name, width), 64, (own*64 + 2*tile) * width * bytes}
	}
	if p.shared > d.info.Shared {
		if dim > MostHeadDim {
			return p, fmt.Errorf("attention with heads of %d numbers: %s has room for %d", dim, d.info.Name, d.info.Shared/(16*sums))
		}
		return p, fmt.Errorf("attention with heads of %d numbers: %d bytes of shared memory, %s has %d", dim, p.shared, d.info.Name, d.info.Shared)
	}
	return p, nil
}

// tail are the last arguments of all kernels.
func (a *Attention) tail(rows, dim int) []any {
	args := append([]any{a.QStarts, a.KStarts, a.Parent, a.Sequences, rows, a.Heads, dim, a.Scale, a.Causal}, a.Drop.args()...)
	if !tensorCores(a.Mode, dim) {
		return args
	}
	wide := dim%4 == 0
	for _, m := range [...]Matrix{a.Q, a.K, a.V, a.DOut} {
		wide = wide && (m.inHalf() && m.halfWide() || !m.inHalf() && m.wide())
	}
	bits := 0
	if wide {
		bits |= 1
	}
	for i, m := range a.rounded() {
		if m.inHalf() {
			bits |= 2 << i
		}
	}
	return append(args, bits)
}

// rounded are the matrices that may be in bfloat16, in the order of the bits that tell kernels which are.
func (a *Attention) rounded() [8]Matrix {
	return [...]Matrix{a.Out, a.Q, a.K, a.V, a.DOut, a.DQ, a.DK, a.DV}
}

// checkForm is an error if a matrix is in bfloat16 and kernels for heads of dim do not take that.
func (a *Attention) checkForm(dim int) error {
	for _, m := range a.rounded() {
		if m.inHalf() && !AttendsInHalf(a.Mode, dim) {
			return fmt.Errorf("attention with heads of %d numbers in %v has no operands in bfloat16", dim, a.Mode)
		}
	}
	return nil
}

const attentionRows = 16 // of a block

// AttendsInHalf tells whether operands and results of attention with heads of dim may be in bfloat16.
func AttendsInHalf(mode Mode, dim int) bool { return mode == BFloat16 && tensorCores(mode, dim) }

// Attention is softmax(QKᵀ·scale)V.
func (d *Device) Attention(a *Attention) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dim := a.Q.Cols / a.Heads
	p, err := d.plan(a.Mode, dim, 1, 1)
	if err == nil {
		err = a.checkForm(dim)
	}
	if err != nil || a.Q.Rows == 0 || a.Sequences < 1 {
		return err
	}
	args := []any{a.Out.at(), a.Out.Stride, a.Q.at(), a.Q.Stride, a.K.at(), a.K.Stride, a.V.at(), a.V.Stride, a.LSE.Ptr}
	d.run("attention"+p.suffix, [3]int{up(a.Q.Rows, p.rows), a.Heads, 1}, line(128), p.shared, append(args, a.tail(a.Q.Rows, dim)...)...)
	return nil
}

// AttentionGrad is its gradient; it needs Out and LSE.
func (d *Device) AttentionGrad(a *Attention) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dim := a.Q.Cols / a.Heads
	forQ, err := d.plan(a.Mode, dim, 2, 1)
	if err != nil {
		return err
	}
	forKV, err := d.plan(a.Mode, dim, 2, 2)
	if err == nil {
		err = a.checkForm(dim)
	}
	if err != nil || a.Q.Rows == 0 || a.Sequences < 1 {
		return err
	}
	dots, err := d.temporary("attention", 4*a.Q.Rows*a.Heads)
	if err != nil {
		return err
	}
	forms := 0
	if a.Out.inHalf() {
		forms |= 1
	}
	if a.DOut.inHalf() {
		forms |= 2
	}
	d.run("attention_dot", line(up(a.Q.Rows*a.Heads, 8)), line(256), 0,
		dots, a.DOut.at(), a.DOut.Stride, a.Out.at(), a.Out.Stride, a.Q.Rows, a.Heads, dim, forms)
	in := []any{a.DOut.at(), a.DOut.Stride, a.Q.at(), a.Q.Stride, a.K.at(), a.K.Stride, a.V.at(), a.V.Stride, a.LSE.Ptr, dots}
	q := append(append([]any{a.DQ.at(), a.DQ.Stride}, in...), a.tail(a.Q.Rows, dim)...)
	d.run("attention_grad_q"+forQ.suffix, [3]int{up(a.Q.Rows, forQ.rows), a.Heads, 1}, line(128), forQ.shared, q...)
	if a.K.Rows > 0 {
		kv := append(append([]any{a.DK.at(), a.DK.Stride, a.DV.at(), a.DV.Stride}, in...), a.tail(a.K.Rows, dim)...)
		d.run("attention_grad_kv"+forKV.suffix, [3]int{up(a.K.Rows, forKV.rows), a.Heads, 1}, line(128), forKV.shared, kv...)
	}
	return nil
}

// CachedAttention are the arguments of one decoding step: rows of K and V are first written to the cache rows Slots, then
// query row r attends to the cache rows Table[r, :Lens[r]].
type CachedAttention struct {
	Q, K, V, Out       Matrix
	CacheK, CacheV     Matrix
	Slots, Table, Lens Ptr // int32
	Longest            int // columns of Table
	Heads              int
	Scale              float32
}

// CachedAttention is one step of decoding.
func (d *Device) CachedAttention(a *CachedAttention) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dim := a.Q.Cols / a.Heads
	p, err := d.plan(Float32, dim, 1, 1)
	if err != nil {
		return err
	}
	if a.Q.Rows == 0 {
		return nil
	}
	grid := [3]int{a.Q.Rows, up(a.Q.Cols, 256), 1}
	d.run("put_rows", grid, line(256), 0, a.CacheK.Ptr, a.CacheK.Stride, a.K.Ptr, a.K.Stride, a.Slots, a.Q.Cols)
	d.run("put_rows", grid, line(256), 0, a.CacheV.Ptr, a.CacheV.Stride, a.V.Ptr, a.V.Stride, a.Slots, a.Q.Cols)
	if dim > MostHeadDim {
		d.run("attention_cached_wide", [3]int{up(a.Q.Rows, p.rows), a.Heads, 1}, line(128), p.shared, a.Out.Ptr, a.Out.Stride, a.Q.Ptr, a.Q.Stride,
			a.CacheK.Ptr, a.CacheK.Stride, a.CacheV.Ptr, a.CacheV.Stride, a.Table, a.Longest, a.Lens, a.Q.Rows, dim, a.Scale)
		return nil
	}
	d.run("attention_cached", [3]int{a.Q.Rows, a.Heads, 1}, line(128), 0, a.Out.Ptr, a.Out.Stride, a.Q.Ptr, a.Q.Stride,
		a.CacheK.Ptr, a.CacheK.Stride, a.CacheV.Ptr, a.CacheV.Stride, a.Table, a.Longest, a.Lens, dim, a.Scale)
	return nil
}
