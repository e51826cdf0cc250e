package kernel

// AttentionCached is attention for decoding, where keys and values lie in a cache that is a pool of
// rows: query row i sees the rows table[i·tableStride], … of cacheK and cacheV, lens[i] of them, in
// any order and also none (which gives zeros). Beams that share a beginning list the same rows.
//
// q and out are [rows, heads·hd], cacheK and cacheV [pool, heads·hd]. A query's result depends on
// its own row, its list and those rows alone.
func AttentionCached(out, q Matrix, cacheK, cacheV Matrix, heads int, scale float32, table []int32, tableStride int, lens []int32) {
	if q.Rows == 0 || heads == 0 || q.Cols < heads {
		return
	}
	j := cachedJobs.get()
	j.out, j.q, j.k, j.v, j.heads, j.scale = out, q, cacheK, cacheV, heads, scale
	j.table, j.stride, j.lens, j.hd = table, tableStride, lens, q.Cols/heads
	j.most = 0
	work := 0
	for _, n := range lens[:q.Rows] {
		j.most = max(j.most, int(n))
		work += int(n)
	}
	pieces := min(max(work*q.Cols/cachedGrain, 1), q.Rows*heads)
	perRow := min((pieces+q.Rows-1)/q.Rows, heads)
	j.perPiece = (heads + perRow - 1) / perRow
	Run(q.Rows*j.split(), j)
	*j = cachedJob{}
	cachedJobs.put(j)
}

// cachedGrain is how many elements of keys are worth handing to another goroutine: with the values
// 512 KiB to read, some 20 µs.
const cachedGrain = 1 << 16

// cachedJob is AttentionCached on its way through Run: a piece is perPiece heads of a query row.
type cachedJob struct {
	out, q, k, v   Matrix
	heads, hd      int
	scale          float32
	table          []int32
	stride         int
	lens           []int32
	most, perPiece int
}

var cachedJobs freeList[cachedJob]

// split is how many pieces a row has.
func (j *cachedJob) split() int { return (j.heads + j.perPiece - 1) / j.perPiece }

// Do is Job's.
func (j *cachedJob) Do(piece int) {
	row, h := piece/j.split(), piece%j.split()*j.perPiece
	heads := min(j.perPiece, j.heads-h)
	from, to := h*j.hd, (h+heads)*j.hd
	out, n := j.out.segment(row, from, to), int(j.lens[row])
	clear(out)
	if n <= 0 {
		return
	}
	list := j.table[row*j.stride : row*j.stride+n]
	weights := scratch.get(heads * n)
	attnListScores(weights, j.q.segment(row, from, to), &j.k, from, list, j.hd)
	for i := range heads {
		softmaxScaledRow(weights[i*n:(i+1)*n], j.scale)
	}
	attnListMix(out, weights, &j.v, from, list, j.hd)
	scratch.put(weights)
}

// attnListScores sets s, [heads][keys], to the products of each head of q with the listed rows of k,
// whose part for the first head begins at column from.
func attnListScores(s, q []float32, k *Matrix, from int, list []int32, hd int) {
	n := len(list)
	for i, row := range list {
		keys := k.segment(int(row), from, from+len(q))
		for h := range len(s) / n {
			s[h*n+i] = attnDot(q[h*hd:(h+1)*hd], keys[h*hd:(h+1)*hd])
		}
	}
}

// attnListMix adds to each head of out the listed rows of v times their weights p, [heads][keys].
func attnListMix(out, p []float32, v *Matrix, from int, list []int32, hd int) {
	n := len(list)
	for i, row := range list {
		values := v.segment(int(row), from, from+len(out))
		for h := range len(p) / n {
			to, w := out[h*hd:(h+1)*hd], p[h*n+i]
			for d, x := range values[h*hd : (h+1)*hd] {
				to[d] += w * x
			}
		}
	}
}

func attnDot(a, b []float32) float32 {
	sum := float32(0)
	b = b[:len(a)]
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}

// softmaxScaledRow sets x to the softmax of scale·x.
func softmaxScaledRow(x []float32, scale float32) {
	top := negInf
	for i, v := range x {
		x[i] = v * scale
		top = max(top, x[i])
	}
	sum := float32(0)
	for i, v := range x {
		x[i] = exp32(v - top)
		sum += x[i]
	}
	inverse := 1 / sum
	for i := range x {
		x[i] *= inverse
	}
}
