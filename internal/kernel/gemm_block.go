package kernel

// gemmJob is a product cut into blocks of c: piece i is block row i%mb, block column i/mb. A piece
// runs through the depth in steps of kc; between steps the sums wait in c, or aside where c is
// still needed, so that each is one chain of additions however the product is cut.
type gemmJob struct {
	c, a  Matrix
	b     *Packed
	end   finisher
	aside bool // the sums must not go to c before their time

	mr         int // rows of a tile
	mc, kc, nc int // a block's rows, depth step and columns, nc a multiple of panelCols
	mb, nb     int // blocks down and across
}

var gemmJobs freeList[gemmJob]

// fewRows is the number of rows up to which narrow weights are widened in registers. Beyond it they are
// widened to memory once for all rows of a block.
const fewRows = 16

// plan cuts the product into blocks.
func (j *gemmJob) plan() {
	m, panels := j.c.Rows, j.b.panels
	j.mr = tileRows()
	switch k := j.b.k; {
	case m <= fewRows:
		// The weights stream past once: whole panels, a quarter of a megabyte of them a piece.
		j.mc, j.kc = m, max(k, 1)
		j.nc = max(1, min(panels, 1<<16/max(1, k*panelCols))) * panelCols
	default:
		const rows, step, wide = 168, 320, 16
		blocks := (m + rows - 1) / rows
		j.mc = (m + blocks - 1) / blocks
		j.mc = (j.mc + j.mr - 1) / j.mr * j.mr
		j.kc = step
		j.nc = min(panels, wide) * panelCols
	}
	j.mb = (m + j.mc - 1) / j.mc
	j.nb = (j.c.Cols + j.nc - 1) / j.nc
}

// planePairs lists which planes of a and b are multiplied, the smallest terms first.
var planePairs = [...][][2]int{
	BF16:   {{0, 0}},
	BF16x2: {{1, 0}, {0, 1}, {0, 0}},
	BF16x3: {{2, 0}, {1, 1}, {0, 2}, {1, 0}, {0, 1}, {0, 0}},
}

// Do computes a block.
func (j *gemmJob) Do(piece int) {
	i0, j0 := piece%j.mb*j.mc, piece/j.mb*j.nc
	i1, j1 := min(i0+j.mc, j.c.Rows), min(j0+j.nc, j.c.Cols)
	blk := block{job: j, i0: i0, i1: i1, j0: j0, j1: j1}
	blk.left = scratch.get((i1 - i0) * j.kc)
	if j.b.format != F32 {
		blk.right = scratch.get(j.kc * j.nc)
	}
	blk.edge = scratch.get(j.mr * panelCols)
	blk.sum, blk.stride = j.c.V[i0*j.c.Stride+j0:], j.c.Stride
	if j.aside {
		blk.stride = j1 - j0
		blk.sum = scratch.get((i1 - i0) * blk.stride)
	}
	blk.products()
	j.end.rows(blk.sum, blk.stride, &j.c, i0, i1, j0, j1)
	scratch.put(blk.left)
	scratch.put(blk.edge)
	if blk.right != nil {
		scratch.put(blk.right)
	}
	if j.aside {
		scratch.put(blk.sum)
	}
}

// block is a piece at work.
type block struct {
	job            *gemmJob
	i0, i1, j0, j1 int
	left           []float32 // rows of a, one depth step
	right          []float32 // panels of b widened to float32, one depth step
	edge           []float32 // a tile that is narrower than a panel
	sum            []float32
	stride         int
}

// products leaves the sums of products in sum.
func (b *block) products() {
	right := b.job.b
	if right.k == 0 {
		for i := range b.i1 - b.i0 {
			clear(b.sum[i*b.stride : i*b.stride+b.j1-b.j0])
		}
		return
	}
	if pairs := right.format; pairs == BF16 || pairs == BF16x2 || pairs == BF16x3 {
		for i, q := range planePairs[pairs] {
			b.depth(q[0], q[1], i > 0)
		}
		return
	}
	b.depth(-1, 0, false)
}

// depth adds the products over the whole depth, of bfloat16 planes qa of a (-1: a itself) and qb of b.
func (b *block) depth(qa, qb int, more bool) {
	job := b.job
	for k0 := 0; k0 < job.b.k; k0 += job.kc {
		kn := min(job.kc, job.b.k-k0)
		packLeft(b.left, &job.a, b.i0, b.i1, k0, kn, job.mr)
		if qa >= 0 {
			takePlane(b.left[:(b.i1-b.i0)*kn], qa)
		}
		narrow := b.i1-b.i0 <= fewRows && qa < 0
		if job.b.format != F32 && !narrow {
			b.widen(k0, kn, qb)
		}
		for i := b.i0; i < b.i1; i += job.mr {
			for at := b.j0; at < b.j1; at += panelCols {
				b.tile(i, at, k0, kn, narrow, more || k0 > 0)
			}
		}
	}
}

// widen brings the block's panels of b to float32.
func (b *block) widen(k0, kn, q int) {
	p := b.job.b
	for at := b.j0; at < b.j1; at += panelCols {
		dst := b.right[(at-b.j0)*kn:][:kn*panelCols]
		if p.format == Int8 {
			widenInt8(dst, p.bytes(at / panelCols)[k0*panelCols:])
		} else {
			widenPairs(dst, p.plane(q, at/panelCols)[k0*panelCols:])
		}
	}
}

// tile computes the tile whose corner is row i, column at.
func (b *block) tile(i, at, k0, kn int, narrow, more bool) {
	job := b.job
	t := tile{rows: min(job.mr, b.i1-i), k: kn, a: b.left[(i-b.i0)*kn:], more: more}
	t.rowStep, t.depthStep = kn, 1
	if job.a.Trans {
		t.rowStep, t.depthStep = 1, t.rows
	}
	t.c, t.stride = b.sum[(i-b.i0)*b.stride+at-b.j0:], b.stride
	cols := min(panelCols, b.j1-at)
	if cols < panelCols {
		for r := range t.rows {
			copy(b.edge[r*panelCols:], t.c[r*t.stride:r*t.stride+cols])
		}
		t.c, t.stride = b.edge, panelCols
	}
	switch p := job.b; {
	case p.format == F32:
		t.f32(p.floats(at / panelCols)[k0*panelCols:])
	case !narrow:
		t.f32(b.right[(at-b.j0)*kn:])
	case p.format == Int8:
		t.int8(p.bytes(at / panelCols)[k0*panelCols:])
	default:
		t.pairs(p.plane(0, at/panelCols)[k0*panelCols:])
	}
	if cols < panelCols {
		c := b.sum[(i-b.i0)*b.stride+at-b.j0:]
		for r := range t.rows {
			copy(c[r*b.stride:r*b.stride+cols], b.edge[r*panelCols:])
		}
	}
}
