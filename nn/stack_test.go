package nn

import (
	"fmt"
	"math/rand/v2"
	"testing"

	G "gorgonia.org/gorgonia"
)

// A stack shaped like ClipCap: a linear mapper turns an image's feature into prefix rows, which a small
// GPT-2 reads in front of the caption's tokens.

type stackBlock struct {
	Norm1 LayerNorm `weight:"ln_1"`
	QKV   Linear    `weight:"attn.c_attn"`
	Proj  Linear    `weight:"attn.c_proj"`
	Norm2 LayerNorm `weight:"ln_2"`
	Up    Linear    `weight:"mlp.c_fc"`
	Down  Linear    `weight:"mlp.c_proj"`
}

func (b *stackBlock) forward(x *G.Node, s Sequences, heads int, drop float32, r *Random) *G.Node {
	h := Attend(b.QKV.Forward(b.Norm1.Forward(x)), s, heads, true)
	x = Add(x, Dropout(b.Proj.Forward(h), drop, r))
	return Add(x, b.Down.Forward(GELU(b.Up.Forward(b.Norm2.Forward(x)))))
}

type stackConfig struct {
	dim, heads, layers, vocab, prefix, feature int
	images, tokens                             int // a batch
	drop                                       float32
}

type stack struct {
	Mapper Linear       `weight:"clip_project"`
	Tokens Embedding    `weight:"gpt.wte"`
	Places Embedding    `weight:"gpt.wpe"`
	Blocks []stackBlock `weight:"gpt.h"`
	Norm   LayerNorm    `weight:"gpt.ln_f"`

	params Params
	config stackConfig
}

func newStack(t testing.TB, c stackConfig) *stack {
	s := &stack{config: c,
		Mapper: NewLinear(c.feature, c.prefix*c.dim, true),
		Tokens: NewEmbedding(c.vocab, c.dim), Places: NewEmbedding(c.prefix+c.tokens, c.dim),
		Norm: NewLayerNorm(c.dim, 1e-5)}
	for range c.layers {
		s.Blocks = append(s.Blocks, stackBlock{NewLayerNorm(c.dim, 1e-5), NewConv1D(c.dim, 3*c.dim), NewConv1D(c.dim, c.dim),
			NewLayerNorm(c.dim, 1e-5), NewConv1D(c.dim, 4*c.dim), NewConv1D(4*c.dim, c.dim)})
	}
	var err error
	if s.params, err = Collect("", s); err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, p := range s.params {
		for i := range p.Data {
			p.Data[i] += float32(r.NormFloat64()) * 0.1
		}
		p.Changed()
	}
	return s
}

// stackGraph is a training graph: every image has one caption of any length up to config.tokens.
type stackGraph struct {
	g                                        *G.ExprGraph
	features, fromPrefix, ids, places, heads *G.Node
	targets                                  *G.Node
	seqs                                     Sequences
	random                                   *Random
	loss                                     *G.Node
}

func (s *stack) graph() *stackGraph {
	c := s.config
	g := G.NewGraph()
	rows := c.images * (c.prefix + c.tokens)
	b := &stackGraph{g: g,
		features:   NewInput(g, "features", Float, c.images, c.feature),
		fromPrefix: NewInput(g, "prefix rows", Int32, rows), ids: NewInput(g, "ids", Int32, rows), places: NewInput(g, "places", Int32, rows),
		heads: NewInput(g, "target rows", Int32, c.images*c.tokens), targets: NewInput(g, "targets", Int32, c.images*c.tokens),
		seqs: NewSequences(g, "captions", c.images, false)}
	if c.drop > 0 {
		b.random = NewRandom(g)
	}
	prefix := SplitRows(s.Mapper.Forward(b.features), c.prefix)
	x := Gather(Pick{prefix, b.fromPrefix}, s.Tokens.Pick(b.ids), s.Places.Pick(b.places))
	for i := range s.Blocks {
		x = s.Blocks[i].forward(x, b.seqs, c.heads, c.drop, b.random)
	}
	x = Gather(Pick{s.Norm.Forward(x), b.heads})
	b.loss = UnembedCrossEntropy(x, s.Tokens.Weight.Node(g), b.targets)
	return b
}

// fill sets a batch with the given caption lengths; the numbers depend on the seed alone.
func (b *stackGraph) fill(t testing.TB, c stackConfig, seed uint64, lengths ...int) {
	r := rand.New(rand.NewPCG(seed, 3))
	var fs []float32
	var from, ids, places, heads, targets []int32
	starts := []int32{0}
	for i, n := range lengths {
		for range c.feature {
			fs = append(fs, float32(r.NormFloat64()))
		}
		for p := range c.prefix {
			from, ids, places = append(from, int32(i*c.prefix+p)), append(ids, -1), append(places, int32(p))
		}
		for k := range n {
			id := r.Int32N(int32(c.vocab))
			heads, targets = append(heads, int32(len(ids)-1)), append(targets, id)
			from, ids, places = append(from, -1), append(ids, id), append(places, int32(c.prefix+k))
		}
		starts = append(starts, int32(len(ids)))
	}
	set(t, b.features, fs)
	set(t, b.fromPrefix, from)
	set(t, b.ids, ids)
	set(t, b.places, places)
	set(t, b.heads, heads)
	set(t, b.targets, targets)
	set(t, b.seqs.Starts, starts)
	if b.random != nil {
		if err := b.random.SetStep(seed, 1); err != nil {
			t.Fatal(err)
		}
	}
}

var small = stackConfig{dim: 12, heads: 3, layers: 2, vocab: 23, prefix: 3, feature: 5, images: 5, tokens: 6}

func stackMachine(t testing.TB, be Backend, s *stack) (*stackGraph, *Machine, *Gradients) {
	b := s.graph()
	grads, err := Backward(b.loss, s.params.Trainable()...)
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewMachine(be, append(G.Nodes{b.loss}, grads.Of...)...)
	if err != nil {
		t.Fatal(err)
	}
	return b, m, grads
}

// kinds counts the operations of a machine by kind.
func kinds(m *Machine) map[string]int {
	n := map[string]int{}
	for _, s := range m.steps {
		n[s.op.Kind()]++
	}
	return n
}

func ExampleMachine() {
	g := G.NewGraph()
	w := NewParam(2, 1)
	w.Name = "w"
	copy(w.Data, []float32{3, 4})
	x := NewInput(g, "x", Float, 8, 2)
	y := MatMul(x, w.Node(g), false)
	m, err := NewMachine(NewReference(), y)
	if err != nil {
		panic(err)
	}
	// Two of at most eight rows.
	if err := Set(x, []float32{1, 0, 1, 1}); err != nil {
		panic(err)
	}
	if err := m.RunAll(); err != nil {
		panic(err)
	}
	fmt.Println(m.Value(y).Data())
	// Output: [3 7]
}
