package kernel

import (
	"slices"
	"testing"
)

// Queries, keys and values in bfloat16 give bit for bit what the same numbers give in float32, and what lies between their rows is
// not read.
func TestAttentionRounded(t *testing.T) {
	for _, c := range attnCases {
		t.Run(c.name, func(t *testing.T) {
			c.init()
			c.q, c.k, c.v = c.q.clone(), c.k.clone(), c.v.clone() // parts of one matrix cannot be fenced one by one
			q, k, v := roundedFenced(c.q), roundedFenced(c.k), roundedFenced(c.v)
			eachISA(t, func(t *testing.T) {
				rows, keys := c.q.Rows, c.k.Rows
				c.out, c.lse = c.blank(rows), slices.Repeat([]float32{fence}, len(c.lse))
				out, lse := c.blank(rows), slices.Clone(c.lse)
				c.forward()
				AttentionRounded(out, q, k, v, c.heads, c.scale, c.causal, c.qs, c.ks, lse, c.p, c.key)
				equal := func(what string, got, want []float32) {
					t.Helper()
					for i, x := range got {
						if x != want[i] && (x == x || want[i] == want[i]) {
							t.Fatalf("%s: number %d is %v, want %v", what, i, x, want[i])
						}
					}
				}
				equal("out", out.V, c.out.V)
				equal("lse", lse, c.lse)
				for _, y := range []Matrix{c.out, {}} { // with the result, and without
					c.out = y
					dq, dk, dv := c.blank(rows), c.blank(keys), c.blank(keys)
					gotQ, gotK, gotV := c.blank(rows), c.blank(keys), c.blank(keys)
					c.backward(dq, dk, dv)
					AttentionRoundedGrad(gotQ, gotK, gotV, c.dout, y, q, k, v, c.heads, c.scale, c.causal, c.qs, c.ks, lse, c.p, c.key)
					equal("dq", gotQ.V, dq.V)
					equal("dk", gotK.V, dk.V)
					equal("dv", gotV.V, dv.V)
				}
			})
		})
	}
}

// clone is m with memory of its own.
func (m Matrix) clone() Matrix {
	m.V = slices.Clone(m.V)
	return m
}
