package kernel

// Pool is attention with one query a sequence over keys and values that are projections of the same rows x_j, as
// CLIP's ResNets pool their last feature map. With the rows Wk and Wv of a head h in the weights, and its part q of the query,
// the definition is
//
//	out = Σ_j p_j·(Wv·x_j + bv),  p = softmax_j(scale·q·(Wk·x_j + bk))
//
// and neither the keys nor the values need exist:
//
//	q·(Wk·x_j + bk) = (Wkᵀ·q)·x_j + q·bk   the last term is the same for all j: the softmax does not see it
//	Σ_j p_j·(Wv·x_j + bv) = Wv·(Σ_j p_j·x_j) + bv   since Σ_j p_j = 1
//
// A product of all rows with a whole weight becomes one of the queries alone. What is left to do with the rows themselves is two
// products with the heads of their own sequence.
type Pool struct {
	Out, Q Matrix // [sequences, heads·dim]
	X      Matrix // [sequences·per, width]
	U, Z   Matrix // [sequences·heads, width], memory for Wkᵀ·q and Σ p·x; their rows lie end to end
	Scale  float32
	Key    []*Packed // a head's Wk, [dim, width]
	Value  []*Packed // a head's Wvᵀ, [width, dim]
	Bias   []float32 // bv [heads·dim]
}

// AttentionPool computes p.Out. A sequence's row depends on no other sequence.
func AttentionPool(p *Pool) {
	n, heads := p.Q.Rows, len(p.Key)
	if n == 0 || heads == 0 {
		return
	}
	j := attnPoolJobs.get()
	j.Pool = *p
	// A sequence's heads lie side by side in a row.
	j.U, j.Z = Mat(p.U.V, n, heads*p.X.Cols), Mat(p.Z.V, n, heads*p.X.Cols)
	for _, step := range [...]struct {
		pieces int
		do     func(j *attnPoolJob, piece int)
	}{{heads, (*attnPoolJob).ask}, {n, (*attnPoolJob).pool}, {heads, (*attnPoolJob).answer}} {
		j.do = step.do
		Run(step.pieces, j)
	}
	*j = attnPoolJob{}
	attnPoolJobs.put(j)
}

// attnPoolJob is a step of a pooling on its way through Run.
type attnPoolJob struct {
	Pool
	do func(j *attnPoolJob, piece int)
}

var attnPoolJobs freeList[attnPoolJob]

// Do is Job's.
func (j *attnPoolJob) Do(piece int) { j.do(j, piece) }

// ask computes Wkᵀ·q of head h for all sequences.
func (j *attnPoolJob) ask(h int) {
	w := j.Key[h]
	Gemm(j.U.columns(h*w.n, w.n), j.Q.columns(h*w.k, w.k), w, nil)
}

// pool computes Σ p·x of all heads for sequence s.
func (j *attnPoolJob) pool(s int) {
	heads, width, per := len(j.Key), j.X.Cols, j.X.Rows/j.Q.Rows
	x := j.X.band(s*per, (s+1)*per)
	u, z := Mat(j.U.segment(s, 0, j.U.Cols), heads, width), Mat(j.Z.segment(s, 0, j.Z.Cols), heads, width)
	buf := scratch.get(heads * per)
	scores := Mat(buf, heads, per)
	GemmBoth(scores, u, x.T(), Float32, nil)
	Scale(buf, buf, j.Scale)
	Softmax(scores, scores)
	GemmBoth(z, scores, x, Float32, nil)
	scratch.put(buf)
}

// answer computes Wv·Σ p·x + bv of head h for all sequences.
func (j *attnPoolJob) answer(h int) {
	w := j.Value[h]
	e := pieces.get()
	e.Bias = j.Bias[h*w.n : (h+1)*w.n]
	Gemm(j.Out.columns(h*w.n, w.n), j.Z.columns(h*w.k, w.k), w, &e.Epilogue)
	*e = piece{}
	pieces.put(e)
}
