package gpt2

import (
	"fmt"
	"math"

	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/nn"
)

// stepGraph is GPT-2 for writing captions: rows of any sequences, each with the cache rows it sees, and the head for the
// rows that end a sequence so far. Prefixes, prompts and words just written are all rows to it.
type stepGraph struct {
	IDs, Places *G.Node // int32 [rows]: token or -1, position in the sequence
	Prefix      nn.Pick // rows that are no tokens: their embeddings, and for each row which of them or -1
	At          nn.Positions
	Last        *G.Node // int32 [heads]: the rows whose next word is wanted
	Hidden      *G.Node // [heads, dim], ready for the head
	caches      []nn.Cache
}

// newStep builds the graph for at most rows rows, of which heads have a next word, seeing at most longest of slots
// cache rows.
func (m *Model) newStep(g *G.ExprGraph, rows, heads, longest, slots int) *stepGraph {
	dim := m.Config.Dim
	s := &stepGraph{
		IDs: nn.NewInput(g, "ids", nn.Int32, rows), Places: nn.NewInput(g, "positions", nn.Int32, rows),
		Prefix: nn.Pick{Rows: nn.NewInput(g, "prefix", nn.Float, rows, dim), Index: nn.NewInput(g, "prefix rows", nn.Int32, rows)},
		At:     nn.NewPositions(g, "cache", rows, longest, slots),
		Last:   nn.NewInput(g, "last rows", nn.Int32, heads),
	}
	x := nn.Gather(m.Tokens.Pick(s.IDs), m.Positions.Pick(s.Places), s.Prefix)
	for i := range m.Blocks {
		s.caches = append(s.caches, nn.NewCache(fmt.Sprintf("cache.%d", i), slots, dim))
		b := &m.Blocks[i]
		mixed := b.cached(x, s.caches[i], s.At)
		if i == len(m.Blocks)-1 { // of the other rows the keys and values are all that is wanted
			x, mixed = s.ends(x), s.ends(mixed)
		}
		x = nn.Add(x, b.Attn.Proj.Forward(mixed))
		x = nn.Add(x, b.MLP.Forward(b.Norm2.Forward(x)))
	}
	if len(m.Blocks) == 0 {
		x = s.ends(x)
	}
	s.Hidden = m.Norm.Forward(x)
	return s
}

// ends are the rows whose next word is wanted.
func (s *stepGraph) ends(x *G.Node) *G.Node { return nn.Gather(nn.Pick{Rows: x, Index: s.Last}) }

// cached is the attention of a block, without its output projection, with the keys and values of earlier rows in a cache.
func (b *Block) cached(x *G.Node, cache nn.Cache, at nn.Positions) *G.Node {
	a := &b.Attn
	scale := float32(1 / math.Sqrt(float64(x.Shape()[1]/a.Heads)))
	return nn.CachedAttend(a.QKV.Forward(b.Norm1.Forward(x)), cache, at, a.Heads, scale)
}

// free gives the caches' memory back.
func (s *stepGraph) free() {
	for _, c := range s.caches {
		c.K.Free()
		c.V.Free()
	}
}
