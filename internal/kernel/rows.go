package kernel

import (
	"runtime"
	"sync/atomic"
	"unsafe"
)

// rowsMost is the most rows of a left operand that is passed over the right one as a stream.
const rowsMost = 64

// rowsJob is a product of a few rows, as decoding has: reading the right operand is nearly all the work. Every goroutine
// has a stretch of panels of its own, which it reads from end to end, so that what it fetches ahead is what
// it comes to; one that is done early takes over from the others. Piece i begins with stretch i. Each brings the left operand into
// order for itself, while its first weights are on their way: that one did so for all made the others wait, and then fetch from its
// caches what they would have read anyway.
//
// Of one stream the processor fetches by itself what comes next, as fast as memory goes, when the tile kernels touch it 4 KiB ahead; fetching by
// hand on top of that is slower. It is needed where several tiles pass over a step of the stream, and where a line takes so many
// instructions that the processor does not see as far.
//
// The sums are the same as any other product's: chains of additions in the order of k.
type rowsJob struct {
	c         Matrix
	b         *Packed
	end       finisher
	a         Matrix
	pairs     bool // a product of bfloat16 pairs
	rounds    bool // the left operand is rounded to bfloat16, and multiplied as float32
	depth     int  // depth of the left operand, in elements: pairs for such a product
	step      int  // depth of a step
	tiles     int
	halves    int  // of a panel, one after the other: 2 if tiles are tall
	beside    bool // int8 of very few rows: two panels at a time, from both halves of a stretch
	ahead     bool // weights are fetched by hand, a step ahead
	widened   bool // int8 weights of a step are widened for all tiles
	unit      int  // panels that are claimed at once, of either half
	units     int
	stretches int
	next      [rowsStretches]struct { // the next unit of a stretch, counted from its start
		atomic.Int64
		_ [cacheLine - 8]byte
	}
}

const (
	rowsStretches = 64
	rowsUnit      = 144 << 10 // bytes of the right operand claimed at once, at least a panel
	rowsStep      = 16 << 10  // bytes of a panel that several tiles pass over while it is in the nearest cache
	widenRows     = 4         // from so many rows on, weights that have to be widened are fetched by hand
)

var rowsJobs freeList[rowsJob]

// gemmRows computes a product of a few rows, and tells whether it did.
func gemmRows(c, a Matrix, b *Packed, ep *Epilogue) bool {
	if c.Rows > rowsMost || b.k == 0 || a.Trans {
		return false
	}
	size := 4 // bytes of an element of the right operand
	switch b.format {
	case F32:
	case BF16W:
		size = 2
	case Int8:
		size = 1
	case BF16:
		if size = 2; isa == AMX {
			return false
		}
	default:
		return false
	}
	j := rowsJobs.get()
	j.c, j.a, j.b = c, a, b
	j.pairs = b.format == BF16 && dotRowsArch()
	j.rounds = b.format == BF16 && !j.pairs
	j.end.from(ep, b)
	m := c.Rows
	j.tiles, j.halves = (m+tileRows()-1)/tileRows(), 1
	j.depth = b.k
	if j.pairs {
		j.depth, size = b.kp/2, 4
	} else if few := streamRows(); size == 4 && m <= 2*few {
		j.tiles = (m + few - 1) / few
	} else if size < 4 && j.tiles > 1 && tallRows() > 0 {
		j.tiles, j.halves = (m+tallRows()-1)/tallRows(), 2
	}
	passes := j.tiles * j.halves
	if j.widened = b.format == Int8 && widensRows() && j.tiles >= widenStreamTiles; j.widened {
		size = 4
	}
	j.step = j.depth
	j.beside = b.format == Int8 && m <= besideRows()
	if j.ahead = !j.beside && (passes > 1 || size < 4 && (m >= widenRows || isa == AVX2)); j.ahead {
		steps := (j.depth*size*panelCols + rowsStep - 1) / rowsStep
		j.step = ((j.depth+steps-1)/steps + 3) &^ 3
	}
	j.unit = max(1, rowsUnit/(j.depth*size*panelCols))
	if j.beside {
		j.unit = max(1, j.unit/2)
	}
	j.units = (b.panels + j.unit - 1) / j.unit
	j.stretches = max(1, min(runtime.GOMAXPROCS(0), j.units, rowsStretches))
	for i := range j.stretches {
		j.next[i].Store(0)
	}
	Run(j.stretches, j)
	j.c, j.a, j.b, j.end = Matrix{}, Matrix{}, nil, finisher{}
	rowsJobs.put(j)
	return true
}

// row is the first row of tile t.
func (j *rowsJob) row(t int) int { return j.c.Rows * t / j.tiles }

// pack brings the left operand into tile order, in left, [depth step][tile][depth][row of the tile], and has the weights that begin
// panel p fetched meanwhile.
func (j *rowsJob) pack(left []float32, p int) {
	m, src, stride := j.c.Rows, j.a.V, j.a.Stride
	at, bytes := j.memory(p, 0, min(j.step, j.depth))
	bytes = min(bytes, rowsStep) / m &^ (cacheLine - 1)
	if j.pairs {
		words := left
		if m > 1 {
			words = scratch.get(m * j.depth)
			defer scratch.put(words)
		}
		for i := range m {
			fetchSpan(unsafe.Add(at, i*bytes), bytes)
			pairRow(words[i*j.depth:][:j.depth], j.a.segment(i, 0, j.a.Cols))
		}
		if src, stride = words, j.depth; m == 1 {
			return
		}
	} else {
		fetchSpan(at, m*bytes)
	}
	for k0 := 0; k0 < j.depth; k0 += j.step {
		kn := min(j.step, j.depth-k0)
		for t := range j.tiles {
			i, n := j.row(t), j.row(t+1)-j.row(t)
			packAcross(left[k0*m+i*kn:][:n*kn], n, src[i*stride+k0:], stride, n, kn)
		}
	}
	if j.rounds {
		takePlane(left, 0)
	}
}

// Do works through stretch i, and then through what is left of the others.
func (j *rowsJob) Do(i int) {
	of := roundUp(j.c.Rows*j.depth, cacheLine/4)
	sums := j.c.Rows * j.room() * panelCols
	step := 0
	if j.widened {
		step = j.step * panelCols
	}
	memory := scratch.get(of + sums + step)
	left, sum, wide := memory[:j.c.Rows*j.depth], memory[of:of+sums], memory[of+sums:]
	ready := j.c.Rows == 1 && !j.pairs && !j.rounds
	if ready {
		left = j.a.V[:j.depth]
	}
	for s := range j.stretches {
		s = (i + s) % j.stretches
		first, end := j.units*s/j.stretches*j.unit, min(j.units*(s+1)/j.stretches*j.unit, j.b.panels)
		half := 0 // panels that are read beside as many others
		if j.beside {
			half = (end - first) / 2
		}
		pairs := (half + j.unit - 1) / j.unit
		for {
			u := int(j.next[s].Add(1)) - 1
			p := first + u*j.unit
			if u >= pairs {
				p = first + 2*half + (u-pairs)*j.unit
			}
			if p >= end {
				break
			}
			if !ready {
				j.pack(left, p)
				ready = true
			}
			if u < pairs {
				j.twice(left, sum, p, min(p+j.unit, first+half), half)
				continue
			}
			j.panels(left, sum, wide, p, min(p+j.unit, end))
		}
	}
	scratch.put(memory)
}

// room is how many panels' sums are formed before they go to c.
func (j *rowsJob) room() int {
	if j.beside {
		return 2 * j.unit
	}
	return j.unit
}

// twice computes the columns of panels p0 to p1, and of those half further on. sum is memory.
func (j *rowsJob) twice(left, sum []float32, p0, p1, half int) {
	m, n, width := j.c.Rows, (p1-p0)*panelCols, 2*(p1-p0)*panelCols
	for p := p0; p < p1; p++ {
		t := tile{rows: m, k: j.depth, a: left, rowStep: 1, depthStep: m, c: sum[(p-p0)*panelCols:], stride: width,
			beside: half * j.depth * panelCols, besideC: n}
		t.int8Beside(j.b.panelBytes(p, p+half+1))
	}
	j.end.block(sum, width, &j.c, 0, m, p0*panelCols, p1*panelCols)
	j.end.block(sum[n:], width, &j.c, 0, m, (p0+half)*panelCols, min((p1+half)*panelCols, j.c.Cols))
}

// panels computes the columns of panels p0 to p1. sum is memory, and so is wide, for weights that are widened.
func (j *rowsJob) panels(left, sum, wide []float32, p0, p1 int) {
	m, width := j.c.Rows, (p1-p0)*panelCols
	direct := j.end.idle() && p1*panelCols <= j.c.Cols // whole panels, and nothing to do afterwards
	if direct {
		sum, width = j.c.V[p0*panelCols:], j.c.Stride
	}
	for p := p0; p < p1; p++ {
		for k0 := 0; k0 < j.depth; k0 += j.step {
			kn := min(j.step, j.depth-k0)
			t := tile{k: kn, rowStep: 1, more: k0 > 0, stride: width}
			at, bytes := j.memory(p, k0, kn)
			t.ahead = uintptr(at)
			if j.ahead && (p+1 < j.b.panels || k0+kn < j.depth) { // behind the last there may be no memory
				t.ahead, t.aheadStep = uintptr(at)+uintptr(bytes), bytes/kn/(j.tiles*j.halves)
			}
			if j.widened {
				widenBytes(wide[:kn*panelCols], j.b.bytes(p)[k0*panelCols:][:kn*panelCols])
			}
			for n := range j.tiles {
				i := j.row(n)
				t.rows = j.row(n+1) - i
				t.depthStep = t.rows
				t.a = left[k0*m+i*kn:]
				for half := range j.halves {
					at := half * panelCols / 2
					t.c = sum[i*width+(p-p0)*panelCols+at:]
					if j.widened {
						t.f32(wide[:kn*panelCols])
					} else {
						j.tile(&t, p, k0, kn, at)
					}
					t.ahead += uintptr(kn * t.aheadStep)
				}
			}
		}
	}
	if !direct {
		j.end.block(sum, width, &j.c, 0, m, p0*panelCols, min(p1*panelCols, j.c.Cols))
	}
}

// memory is where the depths k0 to k0+kn of a panel lie.
func (j *rowsJob) memory(p, k0, kn int) (at unsafe.Pointer, bytes int) {
	switch j.b.format {
	case F32:
		return unsafe.Pointer(&j.b.floats(p)[k0*panelCols]), 4 * kn * panelCols
	case Int8:
		return unsafe.Pointer(&j.b.panelBytes(p, p+1)[k0*panelCols]), kn * panelCols
	}
	if j.pairs {
		k0, kn = 2*k0, 2*kn
	}
	return unsafe.Pointer(&j.b.plane(0, p)[k0*panelCols]), 2 * kn * panelCols
}

// tile adds the products of a tile of rows and a panel, or if tiles are tall, half of one from column at on.
func (j *rowsJob) tile(t *tile, p, k0, kn, at int) {
	switch b := j.b; b.format {
	case F32:
		t.f32(b.floats(p)[k0*panelCols:][:kn*panelCols])
	case Int8:
		v := b.panelBytes(p, p+1)[k0*panelCols:][:kn*panelCols]
		if j.halves > 1 {
			t.tallInt8(v[at:])
		} else {
			t.int8(v)
		}
	default:
		if j.pairs {
			t.dotArch(b.plane(0, p)[2*k0*panelCols:][:2*kn*panelCols])
			break
		}
		v := b.plane(0, p)[k0*panelCols:][:(kn+1)&^1*panelCols]
		if j.halves > 1 {
			t.tallPairs(v[2*at:])
		} else {
			t.pairs(v)
		}
	}
}
