package kernel

import (
	"runtime"
	"unsafe"
)

// AttentionCached is attention for decoding, where keys and values lie in a cache that is a pool of
// rows: query row i sees the rows table[i·tableStride], … of cacheK and cacheV, lens[i] of them, in
// any order and also none (which gives zeros). Beams that share a beginning list the same rows.
//
// q and out are [rows, heads·hd], cacheK and cacheV [pool, heads·hd]. A query's result depends on
// its own row, its list and those rows alone.
func AttentionCached(out, q Matrix, cacheK, cacheV Matrix, heads int, scale float32, table []int32, tableStride int, lens []int32) {
	j := cachedJobs.get()
	j.k, j.v = cacheK, cacheV
	j.run(out, q, heads, scale, table, tableStride, lens)
}

// run does it all and gives j back.
func (j *cachedJob) run(out, q Matrix, heads int, scale float32, table []int32, tableStride int, lens []int32) {
	defer func() {
		*j = cachedJob{}
		cachedJobs.put(j)
	}()
	if q.Rows == 0 || heads == 0 || q.Cols < heads {
		return
	}
	j.out, j.q, j.heads, j.scale = out, q, heads, scale
	j.table, j.stride, j.lens, j.hd = table, tableStride, lens, q.Cols/heads
	j.most = 0
	work := 0
	for _, n := range lens[:q.Rows] {
		j.most = max(j.most, int(n))
		work += int(n)
	}
	pieces := max(work*q.Cols/cachedGrain, 1)
	if cores := runtime.GOMAXPROCS(0); q.Rows >= 4*cores {
		// Several rows a piece, so that all but the first are fetched while another is at work; as many for every core.
		j.byRow, j.perHeads = true, heads
		pieces = (max(pieces/4, 1) + cores - 1) / cores * cores
	} else {
		j.byRow, j.perHeads = false, max(heads/pieces, 1)
	}
	j.headParts = (heads + j.perHeads - 1) / j.perHeads
	j.perRows = max(q.Rows*j.headParts/pieces, 1)
	if j.byRow {
		j.perRows = (q.Rows + pieces - 1) / pieces
	}
	Run(j.headParts*((q.Rows+j.perRows-1)/j.perRows), j)
}

// CacheRows copies the rows of k and v to the rows slots of cacheK and cacheV, all different.
func CacheRows(cacheK, cacheV, k, v Matrix, slots []int32) {
	j := cachedRows.get()
	j.from, j.to, j.slots = [2]Matrix{k, v}, [2]Matrix{cacheK, cacheV}, slots[:k.Rows]
	j.run()
}

// run does it all and gives j back.
func (j *cacheRowsJob) run() {
	Run((len(j.slots)+cachedRowsPiece-1)/cachedRowsPiece, j)
	*j = cacheRowsJob{}
	cachedRows.put(j)
}

// cachedRowsPiece is how many rows are worth handing to another goroutine: the places they go to are rarely in a cache.
const cachedRowsPiece = 8

// cacheRowsJob is CacheRows or CacheRowsRounded on its way through Run.
type cacheRowsJob struct {
	from, to  [2]Matrix
	toRounded [2]RoundedMatrix
	rounded   bool
	slots     []int32
}

var cachedRows freeList[cacheRowsJob]

// Do is Job's.
func (j *cacheRowsJob) Do(piece int) {
	for i := piece * cachedRowsPiece; i < min((piece+1)*cachedRowsPiece, len(j.slots)); i++ {
		for n := range j.from {
			from, to := j.from[n].row(i), int(j.slots[i])
			if j.rounded {
				roundRow(j.toRounded[n].segment(to, 0, len(from)), from)
				continue
			}
			copy(j.to[n].row(to), from)
		}
	}
}

// cachedGrain is how many elements of keys are worth handing to another goroutine: with the values
// 128 KiB to read, some 10 µs.
const cachedGrain = 1 << 14

// cachedJob is AttentionCached or AttentionCachedRounded on its way through Run: a piece is a few heads of a few query rows. Of few rows it does
// head after head, so that what they share is still in the nearest cache when the next one needs it; of many it does
// row after row, so that keys are read from end to end.
type cachedJob struct {
	out, q, k, v      Matrix
	roundedK          RoundedMatrix // in place of k and v, if rounded
	roundedV          RoundedMatrix
	rounded           bool
	heads, hd         int
	scale             float32
	table             []int32
	stride            int
	lens              []int32
	most              int // the longest list
	perHeads, perRows int
	headParts         int
	byRow             bool
}

var cachedJobs freeList[cachedJob]

// Do is Job's.
func (j *cachedJob) Do(piece int) {
	h0, row0 := piece%j.headParts*j.perHeads, piece/j.headParts*j.perRows
	wide := roundUp(j.hd, attnHalf)
	memory := scratch.get(wide + roundUp(j.most, attnHalf))
	q, weights := memory[:j.hd], memory[wide:]
	h1, row1 := min(h0+j.perHeads, j.heads), min(row0+j.perRows, j.q.Rows)
	if j.byRow {
		j.fetch(row0, h0*j.hd, h1*j.hd)
		for row := row0; row < row1; row++ {
			for h := h0; h < h1; h++ {
				if row+1 < row1 {
					j.fetch(row+1, h*j.hd, (h+1)*j.hd)
				}
				j.query(row, h*j.hd, q, weights)
			}
		}
	} else {
		for h := h0; h < h1; h++ {
			for row := row0; row < row1; row++ {
				if h+1 < h1 {
					j.fetch(row, (h+1)*j.hd, (h+2)*j.hd)
				}
				j.query(row, h*j.hd, q, weights)
			}
		}
	}
	scratch.put(memory)
}

// fetch has the columns from to to of the keys and values that a row sees on their way: they lie scattered, and most have
// left the caches since the step before, when all weights were read.
func (j *cachedJob) fetch(row, from, to int) {
	list := j.table[row*j.stride:][:max(0, j.lens[row])]
	if j.rounded {
		prefetchList(unsafe.Pointer(&j.roundedK.V[from]), list, 2*j.roundedK.Stride, 2*(to-from))
		prefetchList(unsafe.Pointer(&j.roundedV.V[from]), list, 2*j.roundedV.Stride, 2*(to-from))
		return
	}
	prefetchList(unsafe.Pointer(&j.k.V[from]), list, 4*j.k.Stride, 4*(to-from))
	prefetchList(unsafe.Pointer(&j.v.V[from]), list, 4*j.v.Stride, 4*(to-from))
}

// query does a row's head that begins at column from; q and weights are memory.
func (j *cachedJob) query(row, from int, q, weights []float32) {
	to := from + j.hd
	out, n := j.out.segment(row, from, to), int(j.lens[row])
	if n <= 0 {
		clear(out)
		return
	}
	for d, x := range j.q.segment(row, from, to) {
		q[d] = x * j.scale
	}
	list := j.table[row*j.stride : row*j.stride+n]
	top, sum := [1]float32{negInf}, [1]float32{}
	if j.rounded {
		for _, at := range list { // the assembly has no bounds of its own
			_ = j.roundedK.segment(int(at), from, to)
			_ = j.roundedV.segment(int(at), from, to)
		}
		attnListScoresRounded(weights, q, j.roundedK.V[from:], list, j.roundedK.Stride)
		attnExp(weights, len(weights), 1, attnRow{n: n, width: n}, top[:], sum[:])
		attnListMixRounded(out, weights, j.roundedV.V[from:], list, j.roundedV.Stride, 1/sum[0])
		return
	}
	for _, at := range list {
		_ = j.k.segment(int(at), from, to)
		_ = j.v.segment(int(at), from, to)
	}
	attnListScores(weights, q, j.k.V[from:], list, j.k.Stride)
	attnExp(weights, len(weights), 1, attnRow{n: n, width: n}, top[:], sum[:])
	attnListMix(out, weights, j.v.V[from:], list, j.v.Stride, 1/sum[0])
}

// attnListScores sets s to the products of q with the listed rows of k, stride apart. s may be written up
// to a multiple of four.
func attnListScores(s, q, k []float32, list []int32, stride int) {
	if attnListScoresArch(s[:roundUp(len(list), 4)], q, k, list, stride) {
		return
	}
	for i, row := range list {
		at := int(row) * stride
		sum := float32(0)
		for d, x := range k[at : at+len(q)] {
			sum += x * q[d]
		}
		s[i] = sum
	}
}

// attnListMix sets out to factor times the sum of the listed rows of v, stride apart, times their weights p.
func attnListMix(out, p, v []float32, list []int32, stride int, factor float32) {
	if attnListMixArch(out, p, v, list, stride, factor) {
		return
	}
	clear(out)
	for i, row := range list {
		at := int(row) * stride
		for d, x := range v[at : at+len(out)] {
			out[d] += p[i] * x
		}
	}
	for d := range out {
		out[d] *= factor
	}
}
