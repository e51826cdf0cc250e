package kernel

const (
	attnRows     = 14      // queries of a forward tile: as many as the widest product does at once
	attnKeys     = 640     // keys of a forward tile: few sequences have more, so the softmax is rarely corrected
	attnGradRows = 56      // queries of a backward tile: four blocks of the widest product
	attnGradKeys = 256     // keys of a backward tile: its scores and their gradients stay in L2
	attnGrain    = 1 << 20 // multiply-adds worth handing to another goroutine, some 20 µs
)

// attnJob is attention on its way through Run. A task is a head of a group, a group being a sequence
// with its children; a piece is a few consecutive tasks.
type attnJob struct {
	out, q, k, v     Matrix
	rounded          bool // q, k and v are bfloat16 instead, as follows
	roundQ, roundK   RoundedMatrix
	roundV           RoundedMatrix
	dq, dk, dv, dout Matrix
	qs, ks           Seqs
	lse              []float32
	heads            int
	scale, p         float32
	key              uint64
	causal, grad     bool

	hd, wide, tileRows int // wide is hd in whole halves of a panel
	groups             seqGroups
	perPiece           int
}

func (j *attnJob) run(tileRows int) {
	j.hd = j.q.Cols / max(j.heads, 1)
	if j.rounded {
		j.hd = j.roundQ.Cols / max(j.heads, 1)
	}
	if j.hd == 0 {
		return
	}
	j.wide, j.tileRows = roundUp(j.hd, attnHalf), tileRows
	j.groups.build(&j.qs, &j.ks)
	tasks := j.groups.len() * j.heads
	if tasks == 0 {
		return
	}
	work := j.groups.pairs * 2 * j.hd
	if j.grad {
		work = j.groups.pairs * 5 * j.hd
	}
	pieces := min(max(work*j.heads/attnGrain, 1), tasks)
	j.perPiece = (tasks + pieces - 1) / pieces
	Run((tasks+j.perPiece-1)/j.perPiece, j)
}

// Do is Job's.
func (j *attnJob) Do(piece int) {
	var t attnTask
	memory := t.init(j)
	tasks := j.groups.len() * j.heads
	for i := piece * j.perPiece; i < min((piece+1)*j.perPiece, tasks); i++ {
		t.head = i % j.heads
		t.group(j.groups.members(i / j.heads))
	}
	scratch.put(memory)
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// seqGroups lists the sequences so that each parent is followed by its children.
type seqGroups struct {
	order   []int32 // sequences, group after group
	starts  []int32 // where each group begins in order, and the end of the last
	next    []int32 // by sequence: where its group's next child goes
	keys    int     // the most keys a query sees
	pairs   int     // queries times keys, over all sequences
	numRoot int
}

// build lists the groups of ks, and measures them with the queries of qs.
func (g *seqGroups) build(qs, ks *Seqs) {
	n := ks.Len()
	g.order, g.next, g.starts = growInts(g.order, n), growInts(g.next, n), growInts(g.starts, n+1)
	g.keys, g.pairs, g.numRoot = 0, 0, 0
	clear(g.next)
	for s := range n {
		_, keys := ks.rows(s)
		_, queries := qs.rows(s)
		if p := ks.parent(s); p >= 0 {
			_, above := ks.rows(p)
			keys += above
			g.next[p]++
		}
		g.keys = max(g.keys, keys)
		g.pairs += keys * queries
	}
	at := int32(0)
	for s := range n {
		if ks.parent(s) >= 0 {
			if g.next[s] > 0 {
				panic("kernel: a sequence that has a parent is one itself")
			}
			continue
		}
		g.starts[g.numRoot] = at
		g.numRoot++
		g.order[at] = int32(s)
		at, g.next[s] = at+1+g.next[s], at+1
	}
	g.starts[g.numRoot] = at
	for s := range n {
		if p := ks.parent(s); p >= 0 {
			g.order[g.next[p]] = int32(s)
			g.next[p]++
		}
	}
}

func (g *seqGroups) len() int { return g.numRoot }

// members are the sequences of group i, the parent first.
func (g *seqGroups) members(i int) []int32 { return g.order[g.starts[i]:g.starts[i+1]] }

// growInts is a slice of n int32s on v's memory if that is enough.
func growInts(v []int32, n int) []int32 {
	if cap(v) < n {
		return make([]int32, n)
	}
	return v[:n]
}

// attnJobs are the jobs not in use; they keep their lists.
var attnJobs freeList[attnJob]

func (j *attnJob) done() {
	*j = attnJob{groups: j.groups}
	attnJobs.put(j)
}
