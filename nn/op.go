package nn

import (
	"fmt"
	"hash"
	"hash/fnv"
	"sync/atomic"

	"github.com/chewxy/hm"
	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// serial numbers operations. It goes into their hash, because Gorgonia merges nodes of
// equal hash and two operations of one kind on one input need not be the same.
var serial atomic.Uint64

// result describes one result of an operation: its shape, and where its live rows come from.
type result struct {
	shape tensor.Shape
	// rows is the input whose live rows, times mul and divided by div, are this result's; -1 means
	// that all rows of the shape are always live.
	rows     int
	mul, div int
}

// full is a result all of whose rows are always live.
func full(shape ...int) result { return result{shape: shape, rows: -1} }

// like is a result with the live rows of input i.
func like(i int, shape ...int) result { return result{shape: shape, rows: i, mul: 1, div: 1} }

// kernelFunc computes the results from the inputs. A result nobody reads is nil, except the first.
type kernelFunc func(be Backend, in, out []*Value) error

// gradFunc builds the gradient of op's inputs from the gradient dy of its first result y; entries for
// inputs that need none may be nil.
type gradFunc func(op *Op, in G.Nodes, y, dy *G.Node) (G.Nodes, error)

// Op is every operation of this package: a gorgonia.SDOp whose first result is the node's value.
type Op struct {
	name    string
	id      uint64
	types   []hm.Type
	results []result
	need    []bool // which inputs want a gradient
	wanted  []bool // which results somebody reads
	inPlace int    // 1 + the input whose memory the first result may take, 0: none
	alias   bool   // the first result is the input's own memory under another shape
	run     kernelFunc
	grad    gradFunc
	attr    any     // what fusion needs to know
	paired  pairing // nil: only numbers come in and go out
	again   *G.Node // see again
	// late names a result that may be left out at first and computed by a second call, 0: none. What is nil among
	// the results is not computed.
	late func(be Backend) int
	// spared is 1 + an input that a backend may do without, 0: none.
	spared int

	own []*Value // results for a foreign machine
}

var _ G.SDOp = (*Op)(nil)

// Arity is the number of inputs.
func (o *Op) Arity() int { return len(o.types) }

// Type is the function type Gorgonia checks.
func (o *Op) Type() hm.Type {
	ts := append(make([]hm.Type, 0, len(o.types)+1), o.types...)
	return hm.NewFnType(append(ts, typeOf(Float, o.results[0].shape))...)
}

// InferShape is the shape of the first result.
func (o *Op) InferShape(...G.DimSizer) (tensor.Shape, error) { return o.results[0].shape.Clone(), nil }

// ReturnsPtr is false: a machine need not prepare memory for the result.
func (o *Op) ReturnsPtr() bool { return false }

// CallsExtern is false.
func (o *Op) CallsExtern() bool { return false }

// OverwritesInput is -1: towards foreign machines no operation writes over its inputs.
func (o *Op) OverwritesInput() int { return -1 }

// WriteHash writes a text that no other operation has.
func (o *Op) WriteHash(h hash.Hash) { fmt.Fprintf(h, "nn.%s#%d", o.name, o.id) }

// Hashcode is the hash of WriteHash.
func (o *Op) Hashcode() uint32 {
	h := fnv.New32a()
	o.WriteHash(h)
	return h.Sum32()
}

// String is the operation's kind and number, as errors and profiles print it.
func (o *Op) String() string { return fmt.Sprintf("%s#%d", o.name, o.id) }

// Kind is the operation's kind, such as "LayerNorm".
func (o *Op) Kind() string { return o.name }

// DiffWRT tells which inputs have a gradient: those that lead to a trainable parameter.
func (o *Op) DiffWRT(n int) []bool {
	if o.need == nil {
		return make([]bool, n)
	}
	return o.need
}

// SymDiff builds the nodes of the gradient.
func (o *Op) SymDiff(in G.Nodes, y, dy *G.Node) (G.Nodes, error) {
	if o.grad == nil {
		return nil, fmt.Errorf("%s has no gradient", o)
	}
	return o.grad(o, in, y, dy)
}

// needs tells whether a node leads to a trainable parameter.
func needs(n *G.Node) bool {
	if o, ok := n.Op().(*Op); ok {
		for _, b := range o.need {
			if b {
				return true
			}
		}
		return false
	}
	if v, ok := n.Value().(*Value); ok && v.param != nil {
		return !v.param.Frozen
	}
	return n.Op() != nil // a foreign operation decides for itself
}

// apply makes the node of an operation.
func apply(o *Op, in ...*G.Node) *G.Node {
	o.id = serial.Add(1)
	o.wanted = make([]bool, len(o.results))
	o.wanted[0] = true
	for _, n := range in {
		o.types = append(o.types, n.Type())
	}
	if o.grad != nil {
		o.need = make([]bool, len(in))
		for i, n := range in {
			o.need[i] = n.Dtype() != tensor.Int32 && needs(n)
		}
	}
	n, err := G.ApplyOp(o, in...)
	if err != nil {
		panic(fmt.Sprintf("nn: %s: %v", o.name, err))
	}
	return n
}

// tap is result i > 0 of the operation of node n as a node of its own.
func tap(n *G.Node, i int) *G.Node {
	o := n.Op().(*Op)
	o.wanted[i] = true
	return apply(&Op{name: o.name + ".tap", attr: tapOf(i), alias: true, results: []result{{shape: o.results[i].shape}}}, n)
}

// tapOf marks a tap and says which result it is.
type tapOf int

// liveRows is the number of live rows of result r for these inputs.
func (r *result) liveRows(in []*Value) int {
	if r.rows < 0 {
		return rowsOf(r.shape)
	}
	if r.div == 1 { // division is the slowest thing a node does
		return in[r.rows].mem.Rows * r.mul
	}
	return in[r.rows].mem.Rows * r.mul / r.div
}

// invoke computes the results into out, whose memory is in place.
func (o *Op) invoke(be Backend, in, out []*Value) error {
	if t, ok := o.attr.(tapOf); ok {
		src := in[0].outs[t-1]
		out[0].mem.Buf, out[0].mem.Off, out[0].backend, out[0].mem.Rows = src.mem.Buf, src.mem.Off, src.backend, src.mem.Rows
		return nil
	}
	for i := range out {
		if out[i] != nil {
			if n := o.results[i].liveRows(in); out[i].mem.Rows != n { // a fresh store would make the read behind it wait
				out[i].mem.Rows = n
			}
		}
	}
	if o.alias {
		out[0].mem.Buf, out[0].mem.Off, out[0].backend = in[0].mem.Buf, in[0].mem.Off, in[0].backend
		return nil
	}
	return o.run(be, in, out)
}

// mustMatrix returns rows and columns of a 2-D float node.
func mustMatrix(op string, n *G.Node) (rows, cols int) {
	if s := n.Shape(); len(s) == 2 && n.Dtype() == tensor.Float32 {
		return s[0], s[1]
	}
	panic(fmt.Sprintf("nn: %s: want a float [rows, dim], got %v %v", op, n.Dtype(), n.Shape()))
}

// mustShape panics unless n is a float node of the given shape.
func mustShape(op, what string, n *G.Node, want ...int) {
	if !n.Shape().Eq(tensor.Shape(want)) || n.Dtype() != tensor.Float32 {
		panic(fmt.Sprintf("nn: %s: %s is %v %v, want float %v", op, what, n.Dtype(), n.Shape(), want))
	}
}
