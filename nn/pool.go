package nn

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// AttentionPool is multi-head attention of one query for each group of per rows of x: q [groups, dim] over x·keyᵀ and
// x·valueᵀ + bias, for key and value [dim, width], as [groups, dim]. It takes no bias of the keys: that would add the same
// to all scores of a query, and the softmax would not see it.
//
// A backend may leave keys and values out altogether, since q·(key·x) = (keyᵀ·q)·x and Σ p·(value·x) = value·(Σ p·x).
func AttentionPool(q, x *G.Node, per int, key, value, bias *G.Node, heads int) *G.Node {
	groups := groupsOf("AttentionPool", x, per)
	n, dim := mustMatrix("AttentionPool", q)
	_, width := mustMatrix("AttentionPool", x)
	if n != groups || heads < 1 || dim%heads != 0 {
		panic(fmt.Sprintf("nn: AttentionPool: queries %v with %d heads of %d groups", q.Shape(), heads, groups))
	}
	mustShape("AttentionPool", "key", key, dim, width)
	mustShape("AttentionPool", "value", value, dim, width)
	mustShape("AttentionPool", "bias", bias, dim)
	each := max(heads, per)
	work := result{shape: tensor.Shape{groups * each, max(width, dim)}, rows: 0, mul: each, div: 1}
	o := &Op{name: "AttentionPool", results: []result{like(0, groups, dim), work, work}}
	args := &PoolArgs{Heads: heads, Scale: float32(1 / math.Sqrt(float64(dim/heads)))}
	o.run = func(be Backend, in, out []*Value) error {
		if in[1].mem.Rows != in[0].mem.Rows*per {
			return fmt.Errorf("%d queries of %d rows in groups of %d", in[0].mem.Rows, in[1].mem.Rows, per)
		}
		args.Q, args.X, args.QStarts, args.XStarts = in[0].mat(), in[1].mat(), in[2].vec(), in[3].vec()
		args.Key, args.Value, args.ValueBias = in[4].operand(), in[5].operand(), in[6].vec()
		args.Out, args.Work = out[0].mat(), [2]Tensor{out[1].mat(), out[2].mat()}
		return be.AttentionPool(args)
	}
	o.grad = func(o *Op, in G.Nodes, _, dy *G.Node) (G.Nodes, error) { return poolGrad(o, in, dy, heads) }
	y := apply(o, q, x, Group(q, 1).Starts, Group(x, per).Starts, key, value, bias)
	o.wanted[1], o.wanted[2] = true, true // by the operation itself
	return y
}

// poolGrad is the gradient by way of keys and values, which are computed for it.
func poolGrad(o *Op, in G.Nodes, dy *G.Node, heads int) (G.Nodes, error) {
	q, x := in[0], in[1]
	k := product{transB: true}.node("AttentionPool.keys", x, in[4])
	v := product{transB: true, bias: in[6]}.node("AttentionPool.values", x, in[5])
	y := Attention(Heads{Q: Columns{Node: q}, K: Columns{Node: k}, V: Columns{Node: v}, Heads: heads, Dim: q.Shape()[1] / heads,
		Queries: Sequences{Starts: in[2]}, Keys: Sequences{Starts: in[3]}})
	grad := func(y, dy *G.Node) (G.Nodes, error) { return y.Op().(*Op).SymDiff(inputsOf(y), y, dy) }
	d, err := grad(y, dy)
	if err != nil {
		return nil, err
	}
	dk, err := grad(k, d[1])
	if err != nil {
		return nil, err
	}
	dv, err := grad(v, d[2])
	if err != nil {
		return nil, err
	}
	ds := G.Nodes{d[0], nil, nil, nil, dk[1], dv[1], dv[2]}
	if o.need[1] {
		ds[1] = Add(dk[0], dv[0])
	}
	return ds, nil
}

// byKeys computes a pooling as it is defined, the keys and values in Work.
func (a *PoolArgs) byKeys(be Backend) error {
	rows := func(t Tensor) Tensor {
		return Tensor{Buf: t.Buf, Off: t.Off, Rows: a.X.Rows, Cols: a.Q.Cols, Stride: a.Q.Cols}
	}
	k, v := rows(a.Work[0]), rows(a.Work[1])
	if err := be.Gemm(k, a.X, false, a.Key, true, &Epilogue{}); err != nil {
		return err
	}
	if err := be.Gemm(v, a.X, false, a.Value, true, &Epilogue{Bias: a.ValueBias}); err != nil {
		return err
	}
	return be.Attention(&AttentionArgs{Q: a.Q, K: k, V: v, Out: a.Out, QStarts: a.QStarts, KStarts: a.XStarts, Heads: a.Heads, Scale: a.Scale})
}
