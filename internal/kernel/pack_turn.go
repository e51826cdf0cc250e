package kernel

// PackTransposed stores the transpose of what from holds, in the same format, as Pack would have stored it from the matrix. Weights
// that a forward product and its gradient multiply by are kept once so, and turned, a few megabytes at a time, where
// the other form is due. Int8 has no transpose: its scales belong to columns.
func (p *Packed) PackTransposed(from *Packed) {
	if from.format == Int8 {
		panic("kernel: PackTransposed of int8")
	}
	p.shape(from.n, from.k, from.format)
	if p.k == 0 || p.n == 0 {
		return
	}
	j := turnJobs.get()
	j.to, j.from = p, from
	Run(p.panels*max(1, p.format.planes()), j)
	*j = turnJob{}
	turnJobs.put(j)
}

// turnJob fills the panels of to from the transpose of from: piece i is panel i%panels of plane i/panels.
type turnJob struct{ to, from *Packed }

var turnJobs freeList[turnJob]

// turnAhead is how many squares ahead of the one that is transposed are fetched.
const turnAhead = 2

// Do fills a panel. Its squares of 32 by 32 lie a panel apart in what is read, too far for the processor to see them coming.
func (j *turnJob) Do(piece int) {
	const square = panelCols * panelCols
	panel, plane := piece%j.to.panels, piece/j.to.panels
	if j.to.format == F32 {
		dst, first := j.to.floats(panel), panel*panelCols
		cols := min(panelCols, j.to.n-first)
		if cols < panelCols {
			clear(dst)
		}
		for b := range j.from.panels {
			if b+turnAhead < j.from.panels {
				fetch(j.from.floats(b + turnAhead)[first*panelCols:][:cols*panelCols])
			}
			rows := min(panelCols, j.to.k-b*panelCols)
			packAcross(dst[b*square:][:rows*panelCols], panelCols, j.from.floats(b)[first*panelCols:], panelCols, cols, rows)
		}
		return
	}
	dst := j.to.plane(plane, panel)
	to, from, first := j.to.pairs(), j.from.pairs(), panel*panelCols
	part := square // numbers that lie together
	if j.from.halves {
		part /= 2
	}
	words := scratch.get(square / 2)
	for b := range j.from.panels {
		if b+turnAhead < j.from.panels {
			ahead := j.from.plane(plane, b+turnAhead)
			fetch(pairsAsFloats(ahead[from.at(first, 0):][:part]))
			if part < square {
				fetch(pairsAsFloats(ahead[from.at(first, panelCols/2):][:part]))
			}
		}
		turnPairs(dst[to.at(b*panelCols, 0):], to, j.from.plane(plane, b)[from.at(first, 0):], from, asU16(words))
	}
	scratch.put(words)
}

// turnPairs transposes a square of 32 by 32 in pairs, which lie in dst as to says and in src as from says. words is memory.
func turnPairs(dst []uint16, to pairs, src []uint16, from pairs, words []uint16) {
	if turnPairsArch(dst, to, src, from, words) {
		return
	}
	for i := range panelCols {
		for j := range panelCols {
			dst[to.at(j, i)] = src[from.at(i, j)]
		}
	}
}
