package kernel

import (
	"runtime"
	"unsafe"
)

// gemmJob is a product cut into blocks of c: piece i is block row i%mb, block column i/mb. A block
// is made of tiles, which lie in balanced rows of tiles down and one panel of b across. It runs through
// the depth in steps of kc: a's rows are brought into tile order, then each panel of b meets them. Between
// steps the sums wait in c, or aside where c is still needed, so that each is one chain of additions
// however the product is cut.
type gemmJob struct {
	c, a   Matrix
	b      *Packed
	end    finisher
	aside  bool      // the sums must not go to c before their time
	left   []float32 // all of a in tile order, [plane][depth step][row], where few rows meet many panels
	direct bool      // rows of a are read where they lie

	tiles  int // rows of tiles
	kc     int // depth step
	mb, nb int // blocks down and across
}

var gemmJobs freeList[gemmJob]

// A block's shape, from the size of the second-level cache: its rows of a, a step deep, stay there while
// panels of b come and go.
const (
	blockRows  = 112
	wideRows   = 224 // the same where panels are widened for a block
	blockDepth = 896
	blockCols  = 48        // least panels across that are worth packing a's rows for once more
	directCols = 10        // most panels across for which rows of a are not worth packing at all
	blockSums  = 32 << 10  // sums that are finished at once
	pieceBytes = 192 << 10 // of b, where few rows pass over many panels
	leftDepths = 16        // of a transposed left operand, brought into order for all tiles before the next ones
)

// plan cuts the product into blocks.
func (j *gemmJob) plan() {
	m, panels, procs := j.c.Rows, j.b.panels, runtime.GOMAXPROCS(0)
	j.tiles = (m + tileRows() - 1) / tileRows()
	steps := (j.b.k + blockDepth - 1) / blockDepth
	j.kc = ((j.b.k+max(1, steps)-1)/max(1, steps) + 3) &^ 3
	rows := mostRows(j.b.format)
	j.mb = (m + rows - 1) / rows
	if j.mb == 1 {
		// Balanced pieces of a few dozen microseconds' work.
		work := max(1, panels*len(j.b.mem)/max(1, j.b.panels)*4*max(1, m/16)/pieceBytes)
		j.nb = min(panels, roundUp(work, procs))
		return
	}
	j.nb = max(1, panels/blockCols)
	j.direct = panels <= directCols && !j.a.Trans && j.b.format.leftPlanes() == 0
	if j.mb*j.nb < 8*procs {
		j.mb = min(j.tiles, roundUp(j.mb, procs))
	}
}

// mostRows is the most rows of a block. Narrow weights are widened for each, which taller ones make rarer.
func mostRows(f Format) int {
	if f == F32 {
		return blockRows
	}
	return wideRows
}

// planePairs lists which planes of a and b are multiplied, the smallest terms first.
var planePairs = [...][][2]int{
	F32:    {{0, 0}},
	BF16:   {{0, 0}},
	BF16x2: {{1, 0}, {0, 1}, {0, 0}},
	BF16x3: {{2, 0}, {1, 1}, {0, 2}, {1, 0}, {0, 1}, {0, 0}},
	BF16W:  {{0, 0}},
	Int8:   {{0, 0}},
}

// leftPlanes is how many bfloat16 planes the left operand is split into, 0 if it stays float32.
func (f Format) leftPlanes() int {
	if f == BF16W {
		return 0
	}
	return f.planes()
}

// run computes the product.
func (j *gemmJob) run() {
	j.plan()
	if j.mb == 1 && j.b.k > 0 {
		m, k := j.c.Rows, j.b.k
		planes := max(1, j.b.format.leftPlanes())
		j.left = scratch.get(planes * m * k)
		for q := range planes {
			for k0 := 0; k0 < k; k0 += j.kc {
				j.packLeft(j.left[(q*k+k0)*m:], 0, j.tiles, k0, q)
			}
		}
	}
	Run(j.mb*j.nb, j)
	if j.left != nil {
		scratch.put(j.left)
	}
}

// row is the first row of tile t.
func (j *gemmJob) row(t int) int { return j.c.Rows * t / j.tiles }

// packLeft brings plane q of the tiles t0 to t1 from depth k0 on into dst, [tile][depth][row of the tile].
func (j *gemmJob) packLeft(dst []float32, t0, t1, k0, q int) {
	kn := min(j.kc, j.b.k-k0)
	first := j.row(t0)
	// A transposed operand has the elements of a depth side by side. Taken tile by tile, each cache line would
	// be fetched once for every tile it reaches into: depths a power of two apart push each other out.
	depths := kn
	if j.a.Trans {
		depths = leftDepths
	}
	for at := 0; at < kn; at += depths {
		n := min(depths, kn-at)
		for t := t0; t < t1; t++ {
			i, rows := j.row(t), j.row(t+1)-j.row(t)
			d := dst[(i-first)*kn+at*rows:][:n*rows]
			if j.a.Trans {
				packAlong(d, rows, j.a.V[(k0+at)*j.a.Stride+i:], j.a.Stride, rows, n)
			} else {
				packAcross(d, rows, j.a.V[i*j.a.Stride+k0:], j.a.Stride, rows, n)
			}
			if j.b.format.leftPlanes() > 0 {
				takePlane(d, q)
			}
		}
	}
}

// Do computes a block.
func (j *gemmJob) Do(piece int) {
	down, across := piece%j.mb, piece/j.mb
	b := block{
		job: j, t0: j.tiles * down / j.mb, t1: j.tiles * (down + 1) / j.mb,
		p0: j.b.panels * across / j.nb, p1: j.b.panels * (across + 1) / j.nb,
	}
	b.i0, b.i1 = j.row(b.t0), j.row(b.t1)
	b.strip = max(1, min(b.p1-b.p0, blockSums/((b.i1-b.i0)*panelCols)))
	var buffers [4][]float32
	if j.left == nil && !j.direct {
		buffers[0] = scratch.get((b.i1 - b.i0) * j.kc)
		b.left = buffers[0]
	}
	if j.aside {
		b.stride = (b.p1 - b.p0) * panelCols
		buffers[1] = scratch.get((b.i1 - b.i0) * b.stride)
		b.sum = buffers[1]
	} else {
		b.sum, b.stride = j.c.V[b.i0*j.c.Stride+b.p0*panelCols:], j.c.Stride
		if b.p1*panelCols > j.c.Cols {
			buffers[2] = scratch.get(tileRows() * panelCols)
			b.edge = buffers[2]
		}
	}
	if j.b.format != F32 && b.t1-b.t0 >= widenTiles {
		buffers[3] = scratch.get(j.kc * panelCols)
		b.wide = buffers[3]
	}
	b.products()
	for _, v := range buffers {
		if v != nil {
			scratch.put(v)
		}
	}
}

// block is a piece at work: tiles t0 to t1, rows i0 to i1, panels p0 to p1.
type block struct {
	job                    *gemmJob
	t0, t1, i0, i1, p0, p1 int
	strip                  int       // panels whose sums are finished at once
	left                   []float32 // rows of a, one depth step
	edge                   []float32 // a tile that is narrower than a panel
	wide                   []float32 // a panel's weights as float32, where enough tiles meet them
	sum                    []float32
	stride                 int
}

// products computes the block.
func (b *block) products() {
	j := b.job
	k, pairs := j.b.k, planePairs[j.b.format]
	if k == 0 {
		width := min(b.p1*panelCols, j.c.Cols) - b.p0*panelCols
		for i := range b.i1 - b.i0 {
			clear(b.sum[i*b.stride:][:width])
		}
		b.finish(b.p0, b.p1)
		return
	}
	for i, q := range pairs {
		for k0 := 0; k0 < k; k0 += j.kc {
			kn := min(j.kc, k-k0)
			left := b.left
			switch {
			case j.direct:
				left = j.a.V[b.i0*j.a.Stride+k0:]
			case j.left != nil:
				left = j.left[(q[0]*k+k0)*j.c.Rows:]
			default:
				j.packLeft(left, b.t0, b.t1, k0, q[0])
			}
			last := i == len(pairs)-1 && k0+kn == k
			for p := b.p0; p < b.p1; p += b.strip {
				end := min(p+b.strip, b.p1)
				for p := p; p < end; p++ {
					b.panel(left, p, q[1], k0, kn, i > 0 || k0 > 0, last)
				}
				if last {
					b.finish(p, end)
				}
			}
		}
	}
}

// finish turns the sums of panels p0 to p1 into c's.
func (b *block) finish(p0, p1 int) {
	c := &b.job.c
	b.job.end.rows(b.sum[(p0-b.p0)*panelCols:], b.stride, c, b.i0, b.i1, p0*panelCols, min(p1*panelCols, c.Cols))
}

// panel adds the products of all rows and panel p's plane q, of kn depths from k0 on; the last are those after which
// the sums are finished.
func (b *block) panel(left []float32, p, q, k0, kn int, more, last bool) {
	j := b.job
	cols := min(panelCols, j.c.Cols-p*panelCols)
	t := tile{k: kn, more: more, cols: cols}
	var floats []float32
	var pairs []uint16
	var bytes []int8
	var at unsafe.Pointer
	row := 4 * panelCols // bytes of a depth
	switch j.b.format {
	case F32:
		floats = j.b.floats(p)[k0*panelCols:][:kn*panelCols]
		at = unsafe.Pointer(&floats[0])
	case Int8:
		bytes = j.b.bytes(p)[k0*panelCols:][:kn*panelCols]
		at, row = unsafe.Pointer(&bytes[0]), panelCols
	default:
		pairs = j.b.plane(q, p)[k0*panelCols:][:(kn+1)&^1*panelCols]
		at, row = unsafe.Pointer(&pairs[0]), 2*panelCols
	}
	t.ahead = uintptr(at)
	// Meanwhile the next panel is fetched, by each tile in part. Behind the last there may be no memory, which takes long to find out.
	if p+1 < b.p1 {
		t.ahead += uintptr(row * j.b.kp)
		t.aheadStep = row / (b.t1 - b.t0)
	}
	if b.wide != nil {
		floats = b.wide[:kn*panelCols]
		if bytes != nil {
			widenBytes(floats, bytes)
		} else {
			widenPairs(floats, pairs, kn)
		}
	}
	for n := b.t0; n < b.t1; n++ {
		i := j.row(n)
		t.rows = j.row(n+1) - i
		if last {
			j.end.fetch(i, t.rows, p*panelCols)
		}
		if j.direct {
			t.a, t.rowStep, t.depthStep = left[(i-b.i0)*j.a.Stride:], j.a.Stride, 1
		} else {
			t.a, t.rowStep, t.depthStep = left[(i-b.i0)*kn:], 1, t.rows
		}
		if more {
			b.fetchSums(n, p)
		}
		c := b.sum[(i-b.i0)*b.stride+(p-b.p0)*panelCols:]
		t.c, t.stride = c, b.stride
		if floats != nil && t.f32NarrowArch(floats, cols) {
			t.ahead += uintptr(kn * t.aheadStep)
			continue
		}
		narrow := b.edge != nil && cols < panelCols
		if narrow {
			for r := range t.rows {
				copy(b.edge[r*panelCols:], c[r*b.stride:r*b.stride+cols])
			}
			t.c, t.stride = b.edge, panelCols
		}
		switch {
		case floats != nil:
			t.f32(floats)
		case bytes != nil:
			t.int8(bytes)
		default:
			t.pairs(pairs)
		}
		if narrow {
			for r := range t.rows {
				copy(c[r*b.stride:r*b.stride+cols], b.edge[r*panelCols:])
			}
		}
		t.ahead += uintptr(kn * t.aheadStep)
	}
}

// fetchSums fetches the sums of the tile after tile n of panel p, which left the near caches since the depths before these.
func (b *block) fetchSums(n, p int) {
	if n++; n == b.t1 {
		n, p = b.t0, p+1
	}
	if p < b.p1 {
		i := b.job.row(n)
		fetchRows(&b.sum[(i-b.i0)*b.stride+(p-b.p0)*panelCols], b.stride, b.job.row(n+1)-i)
	}
}
