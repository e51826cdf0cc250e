package nn

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Sequences says how packed rows fall into sequences: sequence s holds rows Starts[s] … Starts[s+1].
type Sequences struct {
	Starts *G.Node // int32 input [sequences+1]
	// Parent, if set, is an int32 input [sequences]: the sequence whose rows come before this one's
	// own, or -1. Captions of one image share its prefix so. A parent has no parent, and its children
	// follow it directly.
	Parent *G.Node
}

// NewSequences makes the inputs for at most n sequences, with parents if wanted.
func NewSequences(g *G.ExprGraph, name string, n int, parents bool) Sequences {
	s := Sequences{Starts: NewInput(g, name+".starts", Int32, n+1)}
	inputOf(s.Starts).starts = true
	if parents {
		s.Parent = NewInput(g, name+".parent", Int32, n)
		demandIndex("Attention", s.Parent, n)
	}
	return s
}

// Heads describes multi-head attention (Vaswani et al. 2017) over packed sequences.
type Heads struct {
	// Q, K and V are where queries, keys and values lie: Q in [query rows, …], K and V in [key rows, …].
	Q, K, V Columns
	Heads   int
	Dim     int     // width of one head
	Scale   float32 // 0: 1/√Dim
	Causal  bool
	Queries Sequences
	Keys    Sequences // the zero value: the same as Queries
	Drop    float32   // dropout of the attention weights
	Random  *Random
}

// Columns are columns of a node, from From on.
type Columns struct {
	Node *G.Node
	From int
}

// Attend is self-attention over the fused projection qkv [rows, 3·heads·dim]: queries, keys, values.
func Attend(qkv *G.Node, seqs Sequences, heads int, causal bool) *G.Node {
	_, cols := mustMatrix("Attention", qkv)
	dim := cols / 3
	if heads < 1 || cols%(3*heads) != 0 {
		panic(fmt.Sprintf("nn: Attention: %v for %d heads", qkv.Shape(), heads))
	}
	return Attention(Heads{Q: Columns{qkv, 0}, K: Columns{qkv, dim}, V: Columns{qkv, 2 * dim},
		Heads: heads, Dim: dim / heads, Causal: causal, Queries: seqs})
}

// Attention is softmax(QKᵀ·scale)V a head, [query rows, heads·dim].
func Attention(h Heads) *G.Node {
	if h.Scale == 0 {
		h.Scale = float32(1 / math.Sqrt(float64(h.Dim)))
	}
	if h.Random == nil {
		h.Drop = 0
	}
	h.check()
	a := &attention{Heads: h, keyStarts: -1, parent: -1, state: -1,
		args: AttentionArgs{Heads: h.Heads, Scale: h.Scale, Causal: h.Causal}}
	var in G.Nodes
	slot := func(n *G.Node) int {
		for i, m := range in {
			if m == n {
				return i
			}
		}
		in = append(in, n)
		return len(in) - 1
	}
	// One matrix holds the gradients of all that lies in one node, unless they would overlap.
	w := h.Heads * h.Dim
	source := func(c Columns, others ...Columns) int {
		for _, o := range others {
			if o.Node == c.Node && o.From < c.From+w && c.From < o.From+w {
				in = append(in, c.Node)
				return len(in) - 1
			}
		}
		return slot(c.Node)
	}
	a.q = source(h.Q)
	a.k = source(h.K, h.Q)
	a.v = source(h.V, h.Q, h.K)
	a.sources = len(in)
	a.starts = slot(h.Queries.Starts)
	a.keyStarts = a.starts
	if h.Keys.Starts != nil {
		a.keyStarts = slot(h.Keys.Starts)
	}
	if h.Queries.Parent != nil {
		a.parent = slot(h.Queries.Parent)
	}
	if h.Drop > 0 {
		a.state = slot(h.Random.State)
		a.site = h.Random.site()
	}
	rows := h.Q.Node.Shape()[0]
	return apply(&Op{name: "Attention", results: []result{like(a.q, rows, h.Heads*h.Dim), like(a.q, rows, h.Heads)},
		paired: func(be betweener, _ *step, at int) forms {
			switch taken, made, _ := be.attendsBetween(h.Dim, a.sources); {
			case at == pairedResult:
				return made
			case at >= 0 && at < a.sources && a.aligned():
				return taken
			}
			return 0
		},
		run: func(be Backend, in, out []*Value) error {
			if err := a.bind(in); err != nil {
				return err
			}
			a.args.Out, a.args.LSE = out[0].mat(), out[1].mat()
			return be.Attention(&a.args)
		},
		grad: func(o *Op, in G.Nodes, y, dy *G.Node) (G.Nodes, error) { return a.symDiff(o, in, y, dy), nil }}, in...)
}

// check panics on shapes that cannot work.
func (h *Heads) check() {
	for _, c := range [...]Columns{h.Q, h.K, h.V} {
		if _, cols := mustMatrix("Attention", c.Node); h.Heads < 1 || h.Dim < 1 || c.From < 0 || c.From+h.Heads*h.Dim > cols {
			panic(fmt.Sprintf("nn: Attention: %d heads of %d from column %d of %v", h.Heads, h.Dim, c.From, c.Node.Shape()))
		}
	}
	if h.K.Node.Shape()[0] != h.V.Node.Shape()[0] {
		panic(fmt.Sprintf("nn: Attention: keys in %v, values in %v", h.K.Node.Shape(), h.V.Node.Shape()))
	}
	if h.Keys.Starts == nil && h.Q.Node.Shape()[0] != h.K.Node.Shape()[0] {
		panic(fmt.Sprintf("nn: Attention: queries in %v, keys in %v, and no sequences of their own", h.Q.Node.Shape(), h.K.Node.Shape()))
	}
	if h.Keys.Starts != nil && (h.Causal || h.Queries.Parent != nil) {
		panic("nn: Attention: keys with their own sequences can be neither causal nor have parents")
	}
	for _, s := range [...]*G.Node{h.Queries.Starts, h.Keys.Starts, h.Queries.Parent} {
		if s != nil && s.Dtype() != tensor.Int32 {
			panic(fmt.Sprintf("nn: Attention: sequences are %v, want int32", s.Dtype()))
		}
	}
}

// attention is the state of one attention operation: where its inputs are, and the arguments it
// fills for each run.
type attention struct {
	Heads
	q, k, v                          int // inputs; several may be the same
	sources                          int // number of different nodes among them
	starts, keyStarts, parent, state int
	site                             uint32
	args                             AttentionArgs
}

// bind fills the arguments both directions share.
func (a *attention) bind(in []*Value) error {
	w := a.Heads.Heads * a.Dim
	args := &a.args
	args.Q, args.K, args.V = in[a.q].mat().Columns(a.Q.From, w), in[a.k].mat().Columns(a.K.From, w), in[a.v].mat().Columns(a.V.From, w)
	args.QStarts, args.KStarts = in[a.starts].vec(), in[a.keyStarts].vec()
	if err := covers(in[a.starts], in[a.q].mem.Rows); err != nil {
		return err
	}
	if err := covers(in[a.keyStarts], in[a.k].mem.Rows); err != nil {
		return err
	}
	if n, m := in[a.starts].mem.Rows, in[a.keyStarts].mem.Rows; n != m {
		return fmt.Errorf("%d sequences of queries, %d of keys", n-1, m-1)
	}
	if in[a.k].mem.Rows != in[a.v].mem.Rows {
		return fmt.Errorf("%d rows of keys, %d of values", in[a.k].mem.Rows, in[a.v].mem.Rows)
	}
	if a.parent >= 0 {
		p := in[a.parent]
		if p.mem.Rows != in[a.starts].mem.Rows-1 {
			return fmt.Errorf("%d sequences, but parents for %d", in[a.starts].mem.Rows-1, p.mem.Rows)
		}
		if err := checkParents(p.input); err != nil {
			return err
		}
		args.Parent = p.vec()
	}
	if a.state >= 0 {
		args.Drop = Mask{P: a.Drop, State: in[a.state].vec(), Site: a.site}
	}
	return nil
}

// covers tells whether the last sequence ends with the last row.
func covers(starts *Value, rows int) error {
	if starts.input == nil || len(starts.input.ints) == 0 {
		return fmt.Errorf("sequence starts must be an input that was set")
	}
	if last := starts.input.ints[len(starts.input.ints)-1]; int(last) != rows {
		return fmt.Errorf("the sequences hold %d rows, but %d are live", last, rows)
	}
	return nil
}

func checkParents(in *input) error {
	if in == nil {
		return fmt.Errorf("parents must be an input")
	}
	for s, p := range in.ints {
		if p < 0 {
			continue
		}
		if int(p) >= s || in.ints[p] >= 0 || s > 0 && int(p) != s-1 && in.ints[s-1] != p {
			return fmt.Errorf("sequence %d has parent %d: children follow their parent, which has none itself", s, p)
		}
	}
	return nil
}

// symDiff is one operation for all gradients: each source node gets one matrix, in which its
// queries, keys and values have their columns.
func (a *attention) symDiff(o *Op, in G.Nodes, y, dy *G.Node) G.Nodes {
	b := *a // arguments of its own
	shapes := make([]result, a.sources)
	need := make([]bool, a.sources)
	for i := range shapes {
		shapes[i] = result{shape: in[i].Shape().Clone(), rows: i, mul: 1, div: 1}
		// The kernel computes all three; whoever needs one pays for all.
		need[i] = true
	}
	inputs := append(append(G.Nodes{}, in...), y, tap(y, 1), dy)
	n := len(in)
	w := a.Heads.Heads * a.Dim
	gaps := make([]bool, a.sources)
	for i := range gaps {
		gaps[i] = a.gaps(i, in[i].Shape()[1])
	}
	pairs := func(be betweener, _ *step, at int) forms {
		taken, made, gradient := be.attendsBetween(a.Dim, a.sources)
		switch {
		case at == n: // what attention made
			return made | Rounded.only(be.multipliesRounded())
		case at == n+2: // the gradient with respect to that
			return gradient
		case at >= a.sources || !a.aligned() || at < 0 && gaps[pairedResult-at]: // what lies in the gaps is cleared as numbers
			return 0
		case at < 0:
			return gradient
		}
		return taken
	}
	ds := paired(pairs, grads("AttentionGrad", need, shapes, func(be Backend, in, out []*Value) error {
		if err := b.bind(in); err != nil {
			return err
		}
		for i := range out {
			if gaps[i] {
				if err := be.Zero(out[i].mat()); err != nil {
					return err
				}
			}
		}
		b.args.Out, b.args.LSE, b.args.DOut = in[n].mat(), in[n+1].mat(), in[n+2].mat()
		b.args.DQ = out[b.q].mat().Columns(b.Q.From, w)
		b.args.DK = out[b.k].mat().Columns(b.K.From, w)
		b.args.DV = out[b.v].mat().Columns(b.V.From, w)
		return be.AttentionGrad(&b.args)
	}, inputs...))
	ds[0].Op().(*Op).spared = 1 + n
	return append(ds, make(G.Nodes, n-a.sources)...)
}

// aligned tells whether queries, keys and values begin on 16 bytes of a row in bfloat16.
func (a *attention) aligned() bool { return a.Q.From%8 == 0 && a.K.From%8 == 0 && a.V.From%8 == 0 }

// gaps tells whether source i has columns that are neither query, key nor value.
func (a *attention) gaps(i, cols int) bool {
	used := 0
	for _, s := range [...]int{a.q, a.k, a.v} {
		if s == i {
			used += a.Heads.Heads * a.Dim
		}
	}
	return used != cols
}
