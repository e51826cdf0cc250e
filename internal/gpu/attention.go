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
	Mode                     Mode   // BFloat16: on tensor cores
}

// plan is how heads of dim are worked on: what follows a kernel's name, and the rows and the shared memory of a block, which has to hold
// so many numbers a row.
func (d *Device) plan(mode Mode, dim, numbers int) (suffix string, rows, shared int, err error) {
	switch {
	case dim > MostHeadDim:
		suffix, rows, shared = "_wide", 4, 4*4*numbers
		if shared > d.info.Shared {
			err = fmt.Errorf("attention with heads of %d numbers: %s has room for %d", dim, d.info.Name, d.info.Shared/(16*numbers/dim))
		}
	case mode != BFloat16:
		rows = attentionRows
	case dim <= 64:
		suffix, rows = "_bf16_64", 64
	default:
		suffix, rows = "_bf16_128", 64
	}
	return suffix, rows, shared, err
}

// tail are the last arguments of all kernels.
func (a *Attention) tail(rows, dim int) []any {
	args := append([]any{a.QStarts, a.KStarts, a.Parent, a.Sequences, rows, a.Heads, dim, a.Scale, a.Causal}, a.Drop.args()...)
	if a.Mode != BFloat16 || dim > MostHeadDim {
		return args
	}
	wide := dim%2 == 0
	for _, m := range [...]Matrix{a.Q, a.K, a.V, a.DOut} {
		wide = wide && m.Ptr%8 == 0 && m.Stride%2 == 0
	}
	return append(args, wide)
}

const attentionRows = 16 // of a block

// Attention is softmax(QKᵀ·scale)V.
func (d *Device) Attention(a *Attention) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dim := a.Q.Cols / a.Heads
	suffix, rows, shared, err := d.plan(a.Mode, dim, dim)
	if err != nil || a.Q.Rows == 0 || a.Sequences < 1 {
		return err
	}
	args := []any{a.Out.Ptr, a.Out.Stride, a.Q.Ptr, a.Q.Stride, a.K.Ptr, a.K.Stride, a.V.Ptr, a.V.Stride, a.LSE.Ptr}
	d.run("attention"+suffix, [3]int{up(a.Q.Rows, rows), a.Heads, 1}, line(128), shared, append(args, a.tail(a.Q.Rows, dim)...)...)
	return nil
}

// AttentionGrad is its gradient; it needs Out and LSE.
func (d *Device) AttentionGrad(a *Attention) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dim := a.Q.Cols / a.Heads
	suffix, rows, shared, err := d.plan(a.Mode, dim, 2*dim)
	if err != nil || a.Q.Rows == 0 || a.Sequences < 1 {
		return err
	}
	dots, err := d.temporary("attention", 4*a.Q.Rows*a.Heads)
	if err != nil {
		return err
	}
	d.run("attention_dot", line(up(a.Q.Rows*a.Heads, 8)), line(256), 0,
		dots, a.DOut.Ptr, a.DOut.Stride, a.Out.Ptr, a.Out.Stride, a.Q.Rows, a.Heads, dim)
	in := []any{a.DOut.Ptr, a.DOut.Stride, a.Q.Ptr, a.Q.Stride, a.K.Ptr, a.K.Stride, a.V.Ptr, a.V.Stride, a.LSE.Ptr, dots}
	q := append(append([]any{a.DQ.Ptr, a.DQ.Stride}, in...), a.tail(a.Q.Rows, dim)...)
	d.run("attention_grad_q"+suffix, [3]int{up(a.Q.Rows, rows), a.Heads, 1}, line(128), shared/2, q...)
	if a.K.Rows > 0 {
		kv := append(append([]any{a.DK.Ptr, a.DK.Stride, a.DV.Ptr, a.DV.Stride}, in...), a.tail(a.K.Rows, dim)...)
		d.run("attention_grad_kv"+suffix, [3]int{up(a.K.Rows, rows), a.Heads, 1}, line(128), shared, kv...)
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
	_, per, shared, err := d.plan(Float32, dim, dim)
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
		d.run("attention_cached_wide", [3]int{up(a.Q.Rows, per), a.Heads, 1}, line(128), shared, a.Out.Ptr, a.Out.Stride, a.Q.Ptr, a.Q.Stride,
			a.CacheK.Ptr, a.CacheK.Stride, a.CacheV.Ptr, a.CacheV.Stride, a.Table, a.Longest, a.Lens, a.Q.Rows, dim, a.Scale)
		return nil
	}
	d.run("attention_cached", [3]int{a.Q.Rows, a.Heads, 1}, line(128), 0, a.Out.Ptr, a.Out.Stride, a.Q.Ptr, a.Q.Stride,
		a.CacheK.Ptr, a.CacheK.Stride, a.CacheV.Ptr, a.CacheV.Stride, a.Table, a.Longest, a.Lens, dim, a.Scale)
	return nil
}
