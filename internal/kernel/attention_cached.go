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
		pieces = (max(pieces/8, 1) + cores - 1) / cores * cores
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

// Keys scored and heads mixed between two requests to fetch, a multiple of four and any number.
const (
	attnKeysAtOnce  = 8
	attnHeadsAtOnce = 4
)

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
	h1, row1 := min(h0+j.perHeads, j.heads), min(row0+j.perRows, j.q.Rows)
	if j.byRow {
		memory := scratch.get(j.room(h1 - h0))
		j.fetch(row0, h0*j.hd, h1*j.hd)
		for row := row0; row < row1; row++ {
			var next []int32
			if row+1 < row1 {
				next = j.list(row + 1)
			}
			j.query(row, h0, h1, next, memory)
		}
		scratch.put(memory)
		return
	}
	memory := scratch.get(j.room(1))
	for h := h0; h < h1; h++ {
		for row := row0; row < row1; row++ {
			if h+1 < h1 {
				j.fetch(row, (h+1)*j.hd, (h+2)*j.hd)
			}
			j.query(row, h, h+1, nil, memory)
		}
	}
	scratch.put(memory)
}

// list is the cache rows that a row sees.
func (j *cachedJob) list(row int) []int32 { return j.table[row*j.stride:][:max(0, j.lens[row])] }

// fetch has the columns from to to of the keys and values that a row sees on their way: they lie scattered, and most have
// left the caches since the step before, when all weights were read.
func (j *cachedJob) fetch(row, from, to int) {
	list := j.list(row)
	j.fetchKeys(list, from, to)
	j.fetchValues(list, from, to)
}

func (j *cachedJob) fetchKeys(list []int32, from, to int) {
	if j.rounded {
		prefetchList(unsafe.Pointer(&j.roundedK.V[from]), list, 2*j.roundedK.Stride, 2*(to-from))
		return
	}
	prefetchList(unsafe.Pointer(&j.k.V[from]), list, 4*j.k.Stride, 4*(to-from))
}

func (j *cachedJob) fetchValues(list []int32, from, to int) {
	if j.rounded {
		prefetchList(unsafe.Pointer(&j.roundedV.V[from]), list, 2*j.roundedV.Stride, 2*(to-from))
		return
	}
	prefetchList(unsafe.Pointer(&j.v.V[from]), list, 4*j.v.Stride, 4*(to-from))
}

// query does heads h0 to h1 of a row, with memory as room says. Meanwhile the same heads of the rows next, which are wanted
// thereafter, are fetched: by and by, so that memory always has something to do and never more than can be asked for.
func (j *cachedJob) query(row, h0, h1 int, next []int32, memory []float32) {
	from, to := h0*j.hd, h1*j.hd
	out, n := j.out.segment(row, from, to), int(j.lens[row])
	if n <= 0 {
		clear(out)
		j.fetchKeys(next, from, to)
		j.fetchValues(next, from, to)
		return
	}
	heads, ld := h1-h0, roundUp(n, attnHalf)
	q, top, sum, weights := memory[:to-from], memory[j.q.Cols:][:heads], memory[j.q.Cols+j.heads:][:heads], memory[j.q.Cols+2*j.heads:]
	scaleRow(q, j.q.segment(row, from, to), j.scale)
	list := j.list(row)
	for _, at := range list { // the assembly has no bounds of its own
		if j.rounded {
			_, _ = j.roundedK.segment(int(at), from, to), j.roundedV.segment(int(at), from, to)
		} else {
			_, _ = j.k.segment(int(at), from, to), j.v.segment(int(at), from, to)
		}
	}
	for h := range top {
		top[h] = negInf
	}
	if a := (attnHeads{heads: heads, hd: j.hd, n: n, ld: ld}); a.begin(j, from, list, q, out, sum, weights) {
		ahead := next
		for k := 0; k < n; k += attnKeysAtOnce {
			some := min(len(ahead), attnKeysAtOnce)
			j.fetchKeys(ahead[:some], from, to)
			ahead = ahead[some:]
			a.scores(k, min(k+attnKeysAtOnce, n))
		}
		j.fetchKeys(ahead, from, to)
		attnExp(weights, ld, heads, attnRow{n: n, width: n}, top, sum)
		for h := 0; h < heads; h += attnHeadsAtOnce {
			end := min(h+attnHeadsAtOnce, heads)
			j.fetchValues(next, from+h*j.hd, from+end*j.hd)
			a.mix(h, end)
		}
		return
	}
	j.fetchKeys(next, from, to)
	j.fetchValues(next, from, to)
	for h := range heads {
		at, s := h*j.hd, weights[h*ld:(h+1)*ld]
		if j.rounded {
			attnListScoresRounded(s, q[at:at+j.hd], j.roundedK.V[from+at:], list, j.roundedK.Stride)
		} else {
			attnListScores(s, q[at:at+j.hd], j.k.V[from+at:], list, j.k.Stride)
		}
	}
	attnExp(weights, ld, heads, attnRow{n: n, width: n}, top, sum)
	for h := range heads {
		at, s := h*j.hd, weights[h*ld:(h+1)*ld]
		if j.rounded {
			attnListMixRounded(out[at:at+j.hd], s, j.roundedV.V[from+at:], list, j.roundedV.Stride, 1/sum[h])
		} else {
			attnListMix(out[at:at+j.hd], s, j.v.V[from+at:], list, j.v.Stride, 1/sum[h])
		}
	}
}

// room is how much memory query needs for so many heads: the scaled query, for each head the greatest score and the sum of
// the weights, and the weights.
func (j *cachedJob) room(heads int) int {
	return j.q.Cols + 2*j.heads + heads*roundUp(j.most, attnHalf)
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
