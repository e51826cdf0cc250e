//go:build amd64 && !noasm

package kernel

import (
	"math"
	"runtime"
	"unsafe"

	"github.com/clipcap-go/clipcap/internal/half"
)

const (
	dotRows  = 14        // rows of the register tile
	dotDepth = 128       // groups of one pass: 256 KiB of a right panel, so that it stays in the second-level cache
	dotBlock = 20        // most left panels of a block
	dotCache = 576 << 10 // most bytes of a block's left panels, for the second-level cache
	dotSums  = 32 << 10  // sums of a region, likewise
)

// planDot cuts the product for VDPBF16PS.
func (p *productBF16) planDot() {
	groups := p.left.kp / groupDepth
	passes := (groups + dotDepth - 1) / dotDepth
	p.depth = (groups + passes - 1) / passes
	rows := min(dotBlock, max(1, dotCache/(2*dotRows*groupDepth*p.depth)))
	p.mb = (p.left.panels + rows - 1) / rows
	rows = (p.left.panels + p.mb - 1) / p.mb
	p.strip = max(4, dotSums/(rows*dotRows*panelCols))
	// A few blocks for every processor, each of some 10 µs at least, and as many for one as for another: of nine blocks
	// two processors take five and four.
	procs, most := runtime.GOMAXPROCS(0), max(1, p.b.panels*rows*groups/512)
	p.nb = min((4*procs+p.mb-1)/p.mb, p.b.panels, most)
	for n := p.nb; n < min(p.nb+procs, p.b.panels+1, most+1); n++ {
		if p.mb*n%procs == 0 {
			p.nb = n
			break
		}
	}
}

// sumDot computes the sums of r. A right panel, a pass deep, meets all left panels of the region while
// it is in the cache and the next one is being fetched.
func (p *productBF16) sumDot(r *region) {
	groups := p.left.kp / groupDepth
	for j := r.j0; j < r.j1; j++ {
		for g := 0; g < groups; g += p.depth {
			n := min(p.depth, groups-g)
			b := panelBF16(p.b, j, g)
			for i := r.i0; i < r.i1; i++ {
				if g+n == groups {
					p.end.fetch(i*dotRows, min(dotRows, p.c.Rows-i*dotRows), j*panelCols)
				}
				dot := dots[min(dotRows, p.c.Rows-i*dotRows)]
				next := p.next(b, n, i-r.i0, j+1 == p.b.panels && g+n == groups)
				dot(pairsIn(p.b.k, g, n), p.left.at(i, g), b, r.at(i, j, dotRows), r.stride, g > 0, next)
			}
		}
	}
}

// next is what left panel i has fetched, a sixteenth of what follows n groups at b; behind the last there may be no memory, which takes long to find out.
func (p *productBF16) next(b *uint16, n, i int, last bool) uintptr {
	if last {
		return uintptr(unsafe.Pointer(b))
	}
	return uintptr(unsafe.Pointer(b)) + uintptr(n*2048+min(i, 15)*n*128)
}

// pairsIn is how many pairs n groups from group g on have of a depth of k.
func pairsIn(k, g, n int) int { return (min(k-g*groupDepth, n*groupDepth) + 1) / 2 }

// dotFinish is how a product's epilogue is done with the sums of a tile in registers, where there is a single pass over the depth.
type dotFinish int

const (
	inRegions dotFinish = iota // they wait in memory
	asNumbers                  // to rows of c
	asRounded                  // to rows that lie rounded, which have the form of a tile
	byTile                     // to any of these, with more than a bias on the way: the tile is in the nearest cache
)

// finish tells how the epilogue can be done.
func (p *productBF16) finish() dotFinish {
	f := &p.end
	switch {
	case p.left.rows != dotRows || p.depth*groupDepth != p.left.kp || f.scale != nil || f.hasGrad && f.gradRounded.V == nil:
		return inRegions
	case f.to != nil && f.roundsRows():
		return asRounded
	case (f.elsewhere() || f.hasGrad && !f.hasPre) && !f.hasAdded && f.rounded == nil:
		return byTile
	case !f.elsewhere() && f.rounded == nil && !f.hasPre && !f.hasGrad && (f.act == None || f.act == ReLU && !f.hasAdded):
		if f.hasAdded && p.aside && (&f.residual.V[0] != &p.c.V[0] || f.residual.Stride != p.c.Stride) {
			return inRegions // a tile of c may be another's residual
		}
		return asNumbers
	}
	return inRegions
}

// finished computes left panels i0 to i1 times right panels j0 to j1 that way; to numbers, only whole tiles.
func (p *productBF16) finished(i0, i1, j0, j1 int) {
	f, groups, pairs := &p.end, p.left.kp/groupDepth, pairsIn(p.b.k, 0, p.left.kp/groupDepth)
	floor := f.floor()
	var tile []float32
	if p.how == byTile {
		tile = scratch.get(2 * dotRows * panelCols)
		defer scratch.put(tile)
	}
	for j := j0; j < j1; j++ {
		b, bias := panelBF16(p.b, j, 0), &p.bias[j*panelCols]
		for i := i0; i < i1; i++ {
			a := p.left.at(i, 0)
			next := p.next(b, groups, i-i0, j+1 == p.b.panels)
			switch p.how {
			case asRounded:
				var from *uint16
				if f.rounded != nil {
					from = f.rounded.left.at(i, j)
				}
				dotFinished14x32(pairs, a, b, f.to.left.at(i, j), bias, from, floor, next)
			case byTile:
				if f.hasGrad {
					f.fetch(i*dotRows, min(dotRows, p.c.Rows-i*dotRows), j*panelCols)
				}
				dotJoined14x32(pairs, a, b, &tile[0], panelCols, bias, nil, 0, float32(math.Inf(-1)), next)
				p.finishTile(tile[:dotRows*panelCols], tile[dotRows*panelCols:], i, j)
			default:
				var from *float32
				if f.hasAdded {
					from = &f.residual.V[i*dotRows*f.residual.Stride+j*panelCols]
				}
				dotJoined14x32(pairs, a, b, &p.c.V[i*dotRows*p.c.Stride+j*panelCols], p.c.Stride, bias, from, f.residual.Stride, floor, next)
			}
		}
	}
}

// finishTile does with the sums and bias of left panel i and right panel j, [dotRows, panelCols], what is left to do. other is memory of
// that size.
func (p *productBF16) finishTile(tile, other []float32, i, j int) {
	f := &p.end
	rows, cols := min(dotRows, p.c.Rows-i*dotRows), min(panelCols, p.c.Cols-j*panelCols)
	if f.preRounded.V != nil {
		roundTile(&f.preRounded, tile, i*dotRows, rows, j*panelCols, cols)
	} else if f.hasPre {
		for r := range rows {
			copy(f.pre.segment(i*dotRows+r, j*panelCols, j*panelCols+cols), tile[r*panelCols:])
		}
	}
	if f.act != None {
		actRow(tile, tile, f.act)
	}
	if f.hasGrad {
		widenTile(other, &f.gradRounded, i*dotRows, rows, j*panelCols, cols)
		actGradRow(tile[:rows*panelCols], tile, other[:rows*panelCols], f.gradOf)
	}
	if f.positive {
		actRow(tile, tile, ReLU)
	}
	switch {
	case f.to != nil:
		splitRow(f.to.left.at(i, j), 2*groupDepth, &tile[0], dotRows, 1, 0)
	case f.toRows.V != nil:
		roundTile(&f.toRows, tile, i*dotRows, rows, j*panelCols, cols)
	default:
		attnCopyRows(p.c.V[i*dotRows*p.c.Stride+j*panelCols:], p.c.Stride, tile, panelCols, rows, cols, nil)
	}
}

// widenTile is rows and cols of m, from (i, j) on, as the first of a tile's.
func widenTile(tile []float32, m *RoundedMatrix, i, rows, j, cols int) {
	if cols == panelCols {
		widenRow(&tile[0], &m.V[i*m.Stride+j], 2*m.Stride, rows*panelCols)
		return
	}
	for r := range rows {
		half.WidenBF16(tile[r*panelCols:], m.segment(i+r, j, j+cols))
	}
}

// roundTile rounds the first rows and cols of a tile to m, from (i, j) on.
func roundTile(m *RoundedMatrix, tile []float32, i, rows, j, cols int) {
	if cols == panelCols {
		splitRow(&m.V[i*m.Stride+j], 2*m.Stride, &tile[0], rows, 1, 0)
		return
	}
	for r := range rows {
		half.NarrowBF16(m.segment(i+r, j, j+cols), tile[r*panelCols:][:cols])
	}
}

// padded is the epilogue's bias for whole panels, with the zero that leaves every number as it is where there is none.
func (p *productBF16) padded() []float32 {
	v := scratch.get(p.b.panels * panelCols)
	none := float32(math.Copysign(0, -1))
	for i := copy(v, p.end.bias); i < len(v); i++ {
		v[i] = none
	}
	return v
}

// dotFinished14x32 is dot14x32 from no sums, and finishRounded of them for 14 rows that lie as a group of a panel.
//
//go:noescape
func dotFinished14x32(pairs int, a, b, dst *uint16, bias *float32, from *uint16, floor float32, next uintptr)

// dotJoined14x32 is dot14x32 from no sums: c is the sums + bias + from, which may be nil, or floor where that is greater. Rows of from
// lie ldfrom floats apart.
//
//go:noescape
func dotJoined14x32(pairs int, a, b *uint16, c *float32, ldc int, bias, from *float32, ldfrom int, floor float32, next uintptr)

// dots is the register tile for a number of rows: one that has as many, or the next larger.
var dots = [dotRows + 1]func(pairs int, a, b *uint16, c *float32, ldc int, add bool, next uintptr){
	1: dot1x32, 2: dot2x32, 3: dot4x32, 4: dot4x32, 5: dot6x32, 6: dot6x32, 7: dot8x32, 8: dot8x32,
	9: dot14x32, 10: dot14x32, 11: dot14x32, 12: dot14x32, 13: dot14x32, 14: dot14x32,
}

// dotRx32 is c[r][j] (+)= Σ a[r][k]·b[k][j] for R rows of 32 columns and pairs of depth: a is
// [pairs/16][14][32], b [pairs][32][2] bfloat16; ldc floats lie between rows of c. In the order of k, the
// product of a pair's second elements and then that of the first is added to the sum, subnormals
// taken as zero. From next on, 128 bytes for 16 pairs are fetched into the second-level cache.
//
//go:noescape
func dot14x32(pairs int, a, b *uint16, c *float32, ldc int, add bool, next uintptr)

//go:noescape
func dot8x32(pairs int, a, b *uint16, c *float32, ldc int, add bool, next uintptr)

//go:noescape
func dot6x32(pairs int, a, b *uint16, c *float32, ldc int, add bool, next uintptr)

//go:noescape
func dot4x32(pairs int, a, b *uint16, c *float32, ldc int, add bool, next uintptr)

//go:noescape
func dot2x32(pairs int, a, b *uint16, c *float32, ldc int, add bool, next uintptr)

//go:noescape
func dot1x32(pairs int, a, b *uint16, c *float32, ldc int, add bool, next uintptr)
