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
	words := scratch.get(square / 2)
	for b := range j.from.panels {
		if b+turnAhead < j.from.panels {
			fetch(pairsAsFloats(j.from.plane(plane, b+turnAhead)[panel*square:][:square]))
		}
		turnPairs(dst[b*square:][:square], j.from.plane(plane, b)[panel*square:][:square], asU16(words))
	}
	scratch.put(words)
}

// turnPairs transposes a square of 32 by 32 in pairs: dst[j/2][i][j%2] = src[i/2][j][i%2]. words is memory.
func turnPairs(dst, src, words []uint16) {
	if turnPairsArch(dst, src, words) {
		return
	}
	for i := range panelCols {
		for j := range panelCols {
			dst[(j/2*panelCols+i)*2+j%2] = src[(i/2*panelCols+j)*2+i%2]
		}
	}
}
