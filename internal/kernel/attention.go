package kernel

// Seqs says how the rows of a matrix divide into sequences: sequence s is rows Starts[s] to
// Starts[s+1], so there is one start more than there are sequences and a sequence may be empty.
//
// Parent is nil, or names for every sequence another one whose rows it also sees, in front of its
// own, or -1. A parent has no parent itself. So captions that continue one prefix share its keys
// and values instead of holding a copy each.
type Seqs struct {
	Starts []int32
	Parent []int32
}

// Len is the number of sequences.
func (s Seqs) Len() int { return max(len(s.Starts)-1, 0) }

// rows is the first row of sequence i and how many it has.
func (s *Seqs) rows(i int) (first, n int) {
	first = int(s.Starts[i])
	return first, max(int(s.Starts[i+1])-first, 0)
}

// parent is the sequence that i sees in front of its own rows, or -1.
func (s *Seqs) parent(i int) int {
	if s.Parent == nil {
		return -1
	}
	return int(s.Parent[i])
}

// Attention is multi-head scaled dot-product attention over packed sequences. For a head's columns,
// a query row i and the keys j it sees:
//
//	out_i = Σ_j P_ij·v_j,  P_ij = exp(scale·q_i·k_j - lse_i),  lse_i = log Σ_j exp(scale·q_i·k_j)
//
// q and out are [query rows, heads·hd], k and v [key rows, heads·hd]; none is transposed, and their
// strides let them be parts of one [rows, 3·dim] matrix. Query sequence s of qs sees key sequence s
// of ks and, in front, that one's parent; for self-attention both are the same. With causal, query
// t of its sequence sees the parent's rows and its own sequence's keys 0…t. A query that sees no key
// gets zeros, and lse -Inf. Rows outside every sequence are left alone.
//
// lse is nil or receives lse_i at [row·heads + head], which the backward pass needs.
//
// The scores exist in tiles of a few rows only, with the softmax corrected from one tile of keys to
// the next (Milakov and Gimelshein 2018, Dao et al. 2022). What a query gets does not depend on the
// queries beside it or on the number of workers, and for a child nothing changes if the parent's
// rows are copied in front of its own instead.
func Attention(out, q, k, v Matrix, heads int, scale float32, causal bool, qs, ks Seqs, lse []float32) {
	AttentionDropout(out, q, k, v, heads, scale, causal, qs, ks, lse, 0, 0)
}

// AttentionGrad is the backward pass of Attention, from its result, its lse and the gradient dout of
// its result:
//
//	dV_j = Σ_i P_ij·dout_i,  dS_ij = scale·P_ij·(dout_i·v_j - dout_i·out_i),  dQ_i = Σ_j dS_ij·k_j,  dK_j = Σ_i dS_ij·q_i
//
// Every row of dq, dk and dv that belongs to a sequence is set, not added to; the others are left
// alone. The gradient of a parent's row sums its own queries first and then each child's in order.
// dq, dk and dv overlap none of the other arguments. Without out (out.V nil) dout_i·out_i is taken as Σ_j P_ij·(dout_i·v_j), in as
// much time for up to 256 keys.
func AttentionGrad(dq, dk, dv, dout, out, q, k, v Matrix, heads int, scale float32, causal bool, qs, ks Seqs, lse []float32) {
	AttentionDropoutGrad(dq, dk, dv, dout, out, q, k, v, heads, scale, causal, qs, ks, lse, 0, 0)
}

// AttentionDropout is Attention with inverted dropout of its weights: the weight of a head between
// query row r and the key at position t among those it sees counts 1/(1-p)-fold where
// DropoutKeep(key, AttentionElement(head, r, t), p), and not at all elsewhere. lse is that without
// dropout. A query sees fewer than 65536 keys when p > 0.
func AttentionDropout(out, q, k, v Matrix, heads int, scale float32, causal bool, qs, ks Seqs, lse []float32, p float32, key uint64) {
	j := attnJobs.get()
	j.out, j.q, j.k, j.v, j.lse = out, q, k, v, lse
	j.heads, j.scale, j.causal, j.qs, j.ks, j.p, j.key = heads, scale, causal, qs, ks, p, key
	j.run(attnRows)
	j.done()
}

// AttentionDropoutGrad is the backward pass of AttentionDropout with the same p and key.
func AttentionDropoutGrad(dq, dk, dv, dout, out, q, k, v Matrix, heads int, scale float32, causal bool, qs, ks Seqs, lse []float32, p float32, key uint64) {
	j := attnJobs.get()
	j.dq, j.dk, j.dv, j.dout = dq, dk, dv, dout
	j.out, j.q, j.k, j.v, j.lse = out, q, k, v, lse
	j.heads, j.scale, j.causal, j.qs, j.ks, j.p, j.key = heads, scale, causal, qs, ks, p, key
	j.grad = true
	j.run(attnGradRows)
	j.done()
}

// AttentionRounded is AttentionDropout of queries, keys and values in bfloat16. The arithmetic is that of the same numbers in float32.
func AttentionRounded(out Matrix, q, k, v RoundedMatrix, heads int, scale float32, causal bool, qs, ks Seqs, lse []float32, p float32, key uint64) {
	j := attnJobs.get()
	j.out, j.lse = out, lse
	j.roundQ, j.roundK, j.roundV, j.rounded = q, k, v, true
	j.heads, j.scale, j.causal, j.qs, j.ks, j.p, j.key = heads, scale, causal, qs, ks, p, key
	j.run(attnRows)
	j.done()
}

// AttentionRoundedGrad is the backward pass of AttentionRounded with the same p and key.
func AttentionRoundedGrad(dq, dk, dv, dout, out Matrix, q, k, v RoundedMatrix, heads int, scale float32, causal bool, qs, ks Seqs, lse []float32, p float32, key uint64) {
	j := attnJobs.get()
	j.dq, j.dk, j.dv, j.dout = dq, dk, dv, dout
	j.out, j.lse = out, lse
	j.roundQ, j.roundK, j.roundV, j.rounded = q, k, v, true
	j.heads, j.scale, j.causal, j.qs, j.ks, j.p, j.key = heads, scale, causal, qs, ks, p, key
	j.grad = true
	j.run(attnGradRows)
	j.done()
}
