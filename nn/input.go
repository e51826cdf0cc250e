package nn

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/clipcap-go/clipcap/internal/kernel"
)

// input is what Set keeps for an input node until a machine runs.
type input struct {
	name   string
	floats []float32
	ints   []int32
	set    bool
	serial uint64 // counts Set

	// what the operations that read the node demand of its numbers
	below  int32 // indices must be less than this; 0: not an index
	starts bool  // must rise from 0 and never fall
	fixed  bool  // all rows must be given
	whole  bool  // no index may be negative

	derived []*derive // inputs that follow this one's number of rows
}

// NewInput makes an input node: floats or int32, with shape[0] the largest number of rows a run
// may give it. Set gives it its numbers.
func NewInput(g *G.ExprGraph, name string, t DType, shape ...int) *G.Node {
	v := newValue(t, tensor.Shape(shape).Clone())
	v.input = &input{name: name}
	n := G.NewTensor(g, dtypes[t], len(shape), G.WithShape(shape...), G.WithName(name), G.WithValue(v))
	if n.Value() != G.Value(v) {
		panic(fmt.Sprintf("nn: the graph has an input %q already", name))
	}
	return n
}

// inputOf is the input behind a node, or nil.
func inputOf(n *G.Node) *input {
	if v, ok := n.Value().(*Value); ok {
		return v.input
	}
	return nil
}

// Set gives an input node its live rows: []float32 or []int32, a whole number of rows of the
// node's shape. What the graph demands of the numbers (indices in range, sequence starts that
// rise) is checked here; data is copied.
func Set(n *G.Node, data any) error {
	v, ok := n.Value().(*Value)
	if !ok || v.input == nil {
		return fmt.Errorf("set %s: not an input node", n.Name())
	}
	in := v.input
	var count int
	switch d := data.(type) {
	case []float32:
		if v.dtype != Float {
			return fmt.Errorf("set input %s: got float32, want int32", in.name)
		}
		count = len(d)
	case []int32:
		if v.dtype != Int32 {
			return fmt.Errorf("set input %s: got int32, want float32", in.name)
		}
		count = len(d)
	default:
		// data is not printed: what is would have to live on the heap at every call.
		return fmt.Errorf("set input %s: want []float32 or []int32", in.name)
	}
	cols := v.cols()
	if cols == 0 || count%cols != 0 {
		return fmt.Errorf("set input %s: %d numbers are no whole number of rows of %d", in.name, count, cols)
	}
	rows := count / cols
	if rows > rowsOf(v.shape) {
		return fmt.Errorf("set input %s: %d rows, but the graph was built for at most %d", in.name, rows, rowsOf(v.shape))
	}
	if (in.fixed || len(v.shape) == 0) && rows != rowsOf(v.shape) {
		return fmt.Errorf("set input %s: %d rows, want exactly %d", in.name, rows, rowsOf(v.shape))
	}
	if err := in.check(data); err != nil {
		return fmt.Errorf("set input %s: %w", in.name, err)
	}
	switch d := data.(type) {
	case []float32:
		copy(in.room(len(d)), d)
	case []int32:
		in.ints = append(in.ints[:0], d...)
	}
	v.given(rows)
	return nil
}

// Fill is Set of rows rows of float32 that fill writes in place: numbers that are computed anyway need no memory of their own
// then. What dst holds before is arbitrary.
func Fill(n *G.Node, rows int, fill func(dst []float32)) error {
	v, ok := n.Value().(*Value)
	switch {
	case !ok || v.input == nil:
		return fmt.Errorf("fill %s: not an input node", n.Name())
	case v.dtype != Float:
		return fmt.Errorf("fill input %s: it holds int32, not float32", v.input.name)
	case rows < 0 || rows > rowsOf(v.shape) || (v.input.fixed || len(v.shape) == 0) && rows != rowsOf(v.shape):
		return fmt.Errorf("fill input %s: %d rows, but the graph was built for %d", v.input.name, rows, rowsOf(v.shape))
	}
	fill(v.input.room(rows * v.cols()))
	v.given(rows)
	return nil
}

// room makes in's numbers n.
func (in *input) room(n int) []float32 {
	if cap(in.floats) < n {
		in.floats = kernel.Aligned(n)
	}
	in.floats = in.floats[:n]
	return in.floats
}

// given marks an input as set to so many rows.
func (v *Value) given(rows int) {
	in := v.input
	v.mem.Rows = rows
	in.set = true
	in.serial++
	for _, d := range in.derived {
		d.update(rows)
	}
}

// check holds integers against what the graph does with them.
func (in *input) check(data any) error {
	ids, ok := data.([]int32)
	if !ok {
		return nil
	}
	if in.below > 0 {
		for i, id := range ids {
			if id >= in.below {
				return fmt.Errorf("index %d at position %d, want less than %d", id, i, in.below)
			}
			if in.whole && id < 0 {
				return fmt.Errorf("index %d at position %d, want 0 or more", id, i)
			}
		}
	}
	if in.starts {
		if len(ids) == 0 || ids[0] != 0 {
			return fmt.Errorf("sequence starts %v: the first must be 0", head(ids))
		}
		for i := 1; i < len(ids); i++ {
			if ids[i] < ids[i-1] {
				return fmt.Errorf("sequence start %d at position %d comes after %d", ids[i], i, ids[i-1])
			}
		}
	}
	return nil
}

func head(ids []int32) []int32 { return ids[:min(len(ids), 8)] }

// demandIndex records that a node's numbers index n things. Indices that are computed, not given,
// cannot be checked, so they are refused.
func demandIndex(op string, idx *G.Node, n int) {
	in := inputOf(idx)
	if in == nil || idx.Dtype() != tensor.Int32 {
		panic(fmt.Sprintf("nn: %s: indices must be an int32 input, not %v", op, idx))
	}
	if in.below == 0 || int32(n) < in.below {
		in.below = int32(n)
	}
}
