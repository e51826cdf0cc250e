package nn

import (
	G "gorgonia.org/gorgonia"
)

// layerNorm is (x - mean)/√(var + eps)·gain + bias over each row of x [rows, dim] (Ba et al. 2016).
func layerNorm(x, gain, bias *G.Node, eps float32) *G.Node {
	rows, dim := mustMatrix("LayerNorm", x)
	mustShape("LayerNorm", "gain", gain, dim)
	mustShape("LayerNorm", "bias", bias, dim)
	return apply(&Op{name: "LayerNorm", attr: normalized(eps), paired: roundedAt(pairedResult), results: []result{like(0, rows, dim), like(0, rows), like(0, rows)},
		run: func(be Backend, in, out []*Value) error {
			return be.LayerNorm(out[0].mat(), in[0].mat(), in[1].vec(), in[2].vec(), eps, out[1].vec(), out[2].vec())
		},
		grad: func(o *Op, in G.Nodes, y, dy *G.Node) (G.Nodes, error) {
			return layerNormGrad(o.need, dy, in[0], in[1], tap(y, 1), tap(y, 2)), nil
		}}, x, gain, bias)
}

func layerNormGrad(need []bool, dy, x, gain, mean, rstd *G.Node) G.Nodes {
	rows, dim := mustMatrix("LayerNormGrad", dy)
	return paired(roundedAt(0), grads("LayerNormGrad", need, []result{like(0, rows, dim), full(dim), full(dim)},
		func(be Backend, in, out []*Value) error {
			if err := sameRows(in[0], in[1]); err != nil {
				return err
			}
			return be.LayerNormGrad(out[0].mat(), out[1].vec(), out[2].vec(),
				in[0].mat(), in[1].mat(), in[2].vec(), in[3].vec(), in[4].vec())
		}, dy, x, gain, mean, rstd))
}

// grads is one operation that computes several gradients: entry i is the node of result i where
// need[i] says so, else nil. The kernel gets nil for the results that are not needed.
func grads(name string, need []bool, all []result, run kernelFunc, in ...*G.Node) G.Nodes {
	nodes := make(G.Nodes, len(need))
	var order []int // order[j] is the gradient that result j holds
	var results []result
	for i, n := range need {
		if n {
			order = append(order, i)
			results = append(results, all[i])
		}
	}
	if len(order) == 0 {
		return nodes
	}
	o := &Op{name: name, results: results}
	spread := make([]*Value, len(all)) // one run of a graph at a time
	o.run = func(be Backend, in, out []*Value) error {
		for j, i := range order {
			spread[i] = out[j]
		}
		return run(be, in, spread)
	}
	first := apply(o, in...)
	nodes[order[0]] = first
	for j, i := range order[1:] {
		nodes[i] = tap(first, j+1)
	}
	return nodes
}

// paired sets the pairing of the operation that made the nodes ds, grads's result.
func paired(p pairing, ds G.Nodes) G.Nodes {
	for _, d := range ds {
		if d != nil { // the first is the operation's own, the others are taps
			d.Op().(*Op).paired = p
			break
		}
	}
	return ds
}

// L2Normalize is x/‖x‖₂ for each row of x [rows, dim].
func L2Normalize(x *G.Node) *G.Node {
	rows, dim := mustMatrix("L2Normalize", x)
	return apply(&Op{name: "L2Normalize", results: []result{like(0, rows, dim), like(0, rows)},
		run: func(be Backend, in, out []*Value) error {
			return be.L2Normalize(out[0].mat(), in[0].mat(), out[1].vec())
		},
		grad: func(_ *Op, _ G.Nodes, y, dy *G.Node) (G.Nodes, error) {
			return G.Nodes{apply(&Op{name: "L2NormalizeGrad", results: []result{like(0, rows, dim)},
				run: func(be Backend, in, out []*Value) error {
					if err := sameRows(in[0], in[1]); err != nil {
						return err
					}
					return be.L2NormalizeGrad(out[0].mat(), in[0].mat(), in[1].mat(), in[2].vec())
				}}, dy, y, tap(y, 1))}, nil
		}}, x)
}
