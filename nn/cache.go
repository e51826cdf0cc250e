package nn

import (
	"fmt"
	"sync"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// State is a matrix that lives on a backend from run to run and starts as zeros. Graphs share it by
// name, as they share parameters.
type State struct {
	Name  string
	Shape []int

	rounds  bool // a backend may keep it less exactly than it computes
	mu      sync.Mutex
	buffers map[Backend]Buffer
	value   *Value
}

// rounder is a backend that may keep keys and values in fewer bits.
type rounder interface {
	// allocRounded makes a zeroed buffer of n numbers as it keeps such.
	allocRounded(n int) (Buffer, error)
}

// NewState is a state of rows by dim.
func NewState(name string, rows, dim int) *State {
	s := &State{Name: name, Shape: []int{rows, dim}, buffers: map[Backend]Buffer{}}
	s.value = newValue(Float, tensor.Shape{rows, dim})
	s.value.mem.Rows, s.value.state = rows, s
	return s
}

// Node is the state as a leaf of g: the same node at every call.
func (s *State) Node(g *G.ExprGraph) *G.Node {
	n := G.NewTensor(g, tensor.Float32, 2, G.WithShape(s.Shape...), G.WithName(s.Name), G.WithValue(s.value))
	if n.Value() != G.Value(s.value) {
		panic(fmt.Sprintf("nn: the graph has another leaf called %q", s.Name))
	}
	return n
}

// Free gives the state's memory back to every backend that held it.
func (s *State) Free() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for be, b := range s.buffers {
		be.Free(b)
	}
	clear(s.buffers)
}

func (s *State) buffer(be Backend) (Buffer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.buffers[be]
	if !ok {
		var err error
		if r, ok := be.(rounder); ok && s.rounds {
			b, err = r.allocRounded(s.value.Size())
		} else {
			b, err = be.Alloc(Float, s.value.Size())
		}
		if err != nil {
			return nil, fmt.Errorf("state %s %v: %w", s.Name, s.Shape, err)
		}
		s.buffers[be] = b
	}
	return b, nil
}

// Cache is the key and value rows of one attention layer while captions are being written: a pool of
// rows that belong to no sequence by themselves. Which rows a query sees is an input of each step, so
// beams that share a prefix share its rows, and a beam that changes its past only changes a list. A backend that rounds activations
// may keep the rows rounded.
type Cache struct{ K, V *State }

// NewCache makes the state of a layer with room for slots rows of dim.
func NewCache(name string, slots, dim int) Cache {
	c := Cache{K: NewState(name+".k", slots, dim), V: NewState(name+".v", slots, dim)}
	c.K.rounds, c.V.rounds = true, true
	return c
}

// Positions says where the rows of a decoding step go and what they see, all int32 inputs: Slots [rows] is the
// cache row of each row's key and value, Table [rows, longest] lists the cache rows a query attends to,
// of which the first Lens [rows] count.
type Positions struct{ Slots, Table, Lens *G.Node }

// NewPositions makes the inputs for up to rows queries over caches of slots rows, each query seeing
// at most longest of them.
func NewPositions(g *G.ExprGraph, name string, rows, longest, slots int) Positions {
	p := Positions{
		Slots: NewInput(g, name+".slots", Int32, rows),
		Table: NewInput(g, name+".table", Int32, rows, longest),
		Lens:  NewInput(g, name+".lens", Int32, rows),
	}
	demandIndex("CachedAttention", p.Slots, slots)
	demandIndex("CachedAttention", p.Table, slots)
	demandIndex("CachedAttention", p.Lens, longest+1)
	for _, n := range [...]*G.Node{p.Slots, p.Table, p.Lens} {
		inputOf(n).whole = true
	}
	return p
}

// CachedAttend writes the keys and values of qkv [rows, 3·heads·dim] to the cache and attends to what
// Positions says, [rows, heads·dim]. It has no gradient.
func CachedAttend(qkv *G.Node, cache Cache, at Positions, heads int, scale float32) *G.Node {
	rows, cols := mustMatrix("CachedAttention", qkv)
	if heads < 1 || cols%(3*heads) != 0 || at.Slots.Shape()[0] != rows {
		panic(fmt.Sprintf("nn: CachedAttention: %v, %d heads, positions for %v rows", qkv.Shape(), heads, at.Slots.Shape()))
	}
	dim := cols / 3
	k, v := cache.K.Node(qkv.Graph()), cache.V.Node(qkv.Graph())
	slots := cache.K.Shape[0]
	mustShape("CachedAttention", "the cache of keys", k, slots, dim)
	mustShape("CachedAttention", "the cache of values", v, slots, dim)
	args := new(CachedAttentionArgs)
	return apply(&Op{name: "CachedAttention", results: []result{{shape: tensor.Shape{rows, dim}, mul: 1, div: 1}},
		run: func(be Backend, in, out []*Value) error {
			for _, i := range [...]int{3, 4, 5} {
				if err := sameRows(in[0], in[i]); err != nil {
					return err
				}
			}
			x := in[0].mat()
			*args = CachedAttentionArgs{
				Q: x.Columns(0, dim), K: x.Columns(dim, dim), V: x.Columns(2*dim, dim), Out: out[0].mat(),
				CacheK: in[1].mat(), CacheV: in[2].mat(),
				Slots: in[3].vec(), Table: in[4].mat(), Lens: in[5].vec(), Heads: heads, Scale: scale,
			}
			return be.CachedAttention(args)
		}}, qkv, k, v, at.Slots, at.Table, at.Lens)
}
