package nn

import (
	"errors"
	"fmt"

	G "gorgonia.org/gorgonia"
)

// Pick takes rows of a matrix: row i of the result gets row Index[i] of Rows, and nothing where
// Index[i] is negative. Index is an int32 input [rows].
type Pick struct{ Rows, Index *G.Node }

// Gather is the sum of rows picked from several matrices of one width: row i of the result is
// Σ_p p.Rows[p.Index[i]]. One Gather embeds tokens with their positions, lays prefixes and
// tokens end to end, or takes the rows whose logits are wanted.
func Gather(picks ...Pick) *G.Node {
	if len(picks) == 0 {
		panic("nn: Gather: nothing to pick from")
	}
	_, dim := mustMatrix("Gather", picks[0].Rows)
	rows := picks[0].Index.Shape()[0]
	var in G.Nodes
	for _, p := range picks {
		n, d := mustMatrix("Gather", p.Rows)
		if d != dim || len(p.Index.Shape()) != 1 || p.Index.Shape()[0] != rows {
			panic(fmt.Sprintf("nn: Gather: rows %v by index %v, want width %d and %d rows", p.Rows.Shape(), p.Index.Shape(), dim, rows))
		}
		demandIndex("Gather", p.Index, n)
		in = append(in, p.Index, p.Rows)
	}
	return apply(&Op{name: "Gather", results: []result{like(0, rows, dim)},
		run: func(be Backend, in, out []*Value) error {
			for p := 0; p < len(in); p += 2 {
				if err := sameRows(in[0], in[p]); err != nil {
					return err
				}
				if err := be.Gather(out[0].mat(), in[p+1].mat(), in[p].vec(), p > 0); err != nil {
					return err
				}
			}
			return nil
		},
		grad: func(o *Op, in G.Nodes, _, dy *G.Node) (G.Nodes, error) {
			ds := make(G.Nodes, len(in))
			for i := 1; i < len(in); i += 2 {
				if o.need[i] {
					ds[i] = scatter(dy, in[i-1], in[i])
				}
			}
			return ds, nil
		}}, in...)
}

// scattered marks a scatter, for the sum of a node's gradients.
type scattered struct{ dy, index *G.Node }

// scatterInto adds the rows of dy to those of base: a sum without the matrix of zeros, which is large for embeddings.
func scatterInto(base, dy, index *G.Node) *G.Node {
	res := result{shape: base.Shape().Clone(), rows: 0, mul: 1, div: 1}
	return apply(&Op{name: "ScatterInto", inPlace: 1, results: []result{res},
		run: func(be Backend, in, out []*Value) error {
			if err := sameRows(in[1], in[2]); err != nil {
				return err
			}
			dst := out[0].mat()
			if base := in[0].mat(); base.Buf != dst.Buf || base.Off != dst.Off {
				if err := errors.Join(be.Zero(dst), be.Add(dst, dst, base)); err != nil {
					return err
				}
			}
			return be.ScatterAdd(dst, in[1].mat(), in[2].vec())
		}}, base, dy, index)
}

// scatter adds the rows of dy to those of a matrix of zeros shaped, and as live, as src.
func scatter(dy, index, src *G.Node) *G.Node {
	n, dim := mustMatrix("Scatter", src)
	// src is an input for its live rows alone.
	return apply(&Op{name: "Scatter", attr: scattered{dy, index}, results: []result{like(2, n, dim)},
		run: func(be Backend, in, out []*Value) error {
			if err := sameRows(in[0], in[1]); err != nil {
				return err
			}
			dst := out[0].mat()
			if err := be.Zero(dst); err != nil {
				return err
			}
			return be.ScatterAdd(dst, in[0].mat(), in[1].vec())
		}}, dy, index, src)
}
