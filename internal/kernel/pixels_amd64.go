//go:build amd64 && !noasm

package kernel

import (
	"math"
	"unsafe"
)

// row pools two rows of an image.
func (j *roundedPoolJob) row(row int) {
	oh, ow := j.h/2, j.w/2
	image, band := row/oh, row%oh
	groups := (j.c + groupDepth - 1) / groupDepth
	upper := (image*j.h + 2*band) * j.w
	lower := upper + j.w
	var from [4]unsafe.Pointer
	for o := range ow {
		from = [...]unsafe.Pointer{j.x.at(upper + 2*o), j.x.at(upper + 2*o + 1), j.x.at(lower + 2*o), j.x.at(lower + 2*o + 1)}
		poolRounded(j.y.at(row*ow+o), j.y.step(), &from, j.x.step(), groups)
	}
}

// poolRounded is a quarter of the sum of four pixels, rounded.
//
//go:noescape
func poolRounded(dst unsafe.Pointer, dstStep int, from *[4]unsafe.Pointer, fromStep, groups int)

// rounded is a piece of what becomes rounded images, with weights packed to BF16. The places are rounded as they are made, in the
// order in which they are multiplied; the products of all places for a panel of squares and one of channels fit the nearest
// cache, where pixels are made of them.
func (b *winogradBlock) rounded() {
	c := &b.c
	var l leftBF16
	l.shape(b.rows, c.C, b.y.Rounded.left.rows, 1)
	in := scratch.get(winogradPlaces * l.planeLen / 2)
	l.v = asU16(in)
	b.roundedPlaces(&l)
	bias := b.paddedBias()
	if l.rows == tilePanel {
		b.tiles(&l, bias)
	} else {
		b.dots(&l, bias)
	}
	scratch.put(bias)
	scratch.put(in)
}

// roundedPlaces brings the squares' pixels into places, of which l is the first.
func (b *winogradBlock) roundedPlaces(l *leftBF16) {
	c, x := &b.c, b.x.Rounded
	zero := scratch.get(l.rows * l.kp)
	clear(zero)
	none := unsafe.Pointer(&zero[0])
	halves := (c.C + groupDepth/2 - 1) / (groupDepth / 2) // VDPBF16PS meets no more
	if l.rows == tilePanel {
		halves = 2 * l.kp / groupDepth
	}
	var from [winogradPlaces]unsafe.Pointer
	for s := range b.rows {
		image, y0, x0 := b.place(b.s0 + s)
		y0, x0 = y0-c.Pad, x0-c.Pad
		for r := range 4 {
			row, y := from[4*r:4*r+4], y0+r
			if uint(y) >= uint(c.H) {
				row[0], row[1], row[2], row[3] = none, none, none, none
				continue
			}
			first := (image*c.H+y)*c.W + x0
			if x0 >= 0 && x0+4 <= c.W { // as nearly everywhere
				b.x.four((*[4]unsafe.Pointer)(row), first, c.C)
				continue
			}
			for i := range row {
				if row[i] = none; uint(x0+i) < uint(c.W) {
					row[i] = b.x.at(first+i, c.C)
				}
			}
		}
		to, step := &l.group(s, 0)[0], 2*groupDepth*l.rows
		if x == nil {
			winogradInNumbers(to, 2*l.planeLen, step, &from, c.C, halves)
		} else {
			winogradInRounded(to, 2*l.planeLen, step, &from, x.step(), halves)
		}
	}
	scratch.put(zero)
}

// at is where pixel i of images of c channels begins.
func (p *Pixels) at(i, c int) unsafe.Pointer {
	if p.Rounded != nil {
		return p.Rounded.at(i)
	}
	return unsafe.Pointer(&p.Floats[i*c])
}

// four is at of four pixels.
func (p *Pixels) four(to *[4]unsafe.Pointer, i, c int) {
	step := 4 * c
	if p.Rounded != nil {
		step = 2 * groupDepth
		if p.Rounded.left.rows != dotRows || i%dotRows > dotRows-len(to) { // in different panels, perhaps
			for k := range to {
				to[k] = p.Rounded.at(i + k)
			}
			return
		}
	}
	first := p.at(i, c)
	for k := range to {
		to[k] = unsafe.Add(first, k*step)
	}
}

// dots multiplies and finishes with the register tiles of VDPBF16PS.
func (b *winogradBlock) dots(l *leftBF16, bias []float32) {
	steps, step := l.kp/groupDepth, b.y.Rounded.step()
	sums := scratch.get(winogradPlaces * dotRows * panelCols)
	spare := scratch.get(b.y.Rounded.sizeOfRow())
	to := b.allTargets(unsafe.Pointer(&spare[0]))
	for j := b.p0; j < b.p1; j++ {
		for i := range l.panels {
			rows := min(dotRows, b.rows-i*dotRows)
			dot := dots[rows]
			for place, w := range b.w {
				right := &w.plane(0, j)[0]
				next := uintptr(unsafe.Pointer(right)) + uintptr(steps*2048+min(i, 15)*steps*128)
				dot((b.c.C+1)/2, &l.v[place*l.planeLen+i*l.kp*dotRows], right, &sums[place*dotRows*panelCols], panelCols, false, next)
			}
			winogradOutRounded((*to)[i*dotRows:i*dotRows+rows], j*step, step, sums, dotRows*panelCols, panelCols, bias[j*panelCols:(j+1)*panelCols], b.act == ReLU)
		}
	}
	clear(*to)
	targets.put(to)
	scratch.put(spare)
	scratch.put(sums)
}

// targets are where the pixels of squares lie.
var targets freeList[[][4]unsafe.Pointer]

// winogradTileCols is how many panels of channels are multiplied by tiles before they are finished: the sums of their places
// and the places themselves lie in the second-level cache together.
const winogradTileCols = 2

// tiles multiplies and finishes with AMX.
func (b *winogradBlock) tiles(l *leftBF16, bias []float32) {
	const stride = winogradTileCols*panelCols + tileApart
	out, step := l.panels*l.rows*stride, b.y.Rounded.step()
	p := productsBF16.get()
	p.c = Matrix{Rows: b.rows, Cols: winogradTileCols * panelCols, Stride: stride}
	sums := scratch.get(winogradPlaces * out)
	spare := scratch.get(b.y.Rounded.sizeOfRow())
	to := b.allTargets(unsafe.Pointer(&spare[0]))
	for j := b.p0; j < b.p1; j += winogradTileCols {
		end := min(j+winogradTileCols, b.p1)
		for place, w := range b.w {
			p.left, p.panels = *l, *w
			p.left.v = l.v[place*l.planeLen:]
			p.panels.mem, p.panels.panels = w.mem[j*w.kp*panelCols/2:], end-j
			p.b = &p.panels
			p.c.V = sums[place*out:][:out]
			p.planTiles()
			p.tiles(0, l.panels, 0, end-j, false)
		}
		winogradOutRounded((*to)[:b.rows], j*step, step, sums, out, stride, bias[j*panelCols:end*panelCols], b.act == ReLU)
	}
	clear(*to)
	targets.put(to)
	scratch.put(spare)
	scratch.put(sums)
	*p = productBF16{}
	productsBF16.put(p)
}

// allTargets are the targets of all squares.
func (b *winogradBlock) allTargets(spare unsafe.Pointer) *[][4]unsafe.Pointer {
	to := targets.get()
	if len(*to) < b.rows {
		*to = make([][4]unsafe.Pointer, b.rows)
	}
	for s := range b.rows {
		b.targets(&(*to)[s], s, spare)
	}
	return to
}

// winogradInRounded is winogradIn for pixels that are rounded, and rounds the places: groups of 32 channels lie fromStep bytes
// apart, of a place dstStep bytes, and places placeStep bytes.
//
//go:noescape
func winogradInRounded(dst *uint16, placeStep, dstStep int, from *[winogradPlaces]unsafe.Pointer, fromStep, halves int)

// winogradInNumbers is winogradInRounded for pixels of n numbers.
//
//go:noescape
func winogradInNumbers(dst *uint16, placeStep, dstStep int, from *[winogradPlaces]unsafe.Pointer, n, halves int)

// winogradOutRounded is winogradOut, rounded, of squares whose sums lie next elements apart, for whole groups of 32 channels that
// lie toStep bytes apart, the first bytes behind to.
func winogradOutRounded(to [][4]unsafe.Pointer, first, toStep int, src []float32, step, next int, bias []float32, relu bool) {
	floor := float32(math.Inf(-1))
	if relu {
		floor = 0
	}
	winogradOutRoundedAVX512(&to[0], len(to), first, toStep, &src[0], 4*step, 4*next, &bias[0], len(bias)/groupDepth, floor)
}

//go:noescape
func winogradOutRoundedAVX512(to *[4]unsafe.Pointer, squares, first, toStep int, src *float32, step, next int, bias *float32, groups int, floor float32)
