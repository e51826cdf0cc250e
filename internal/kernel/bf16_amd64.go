//go:build amd64 && !noasm

package kernel

// gemmBF16Arch computes the products of the bfloat16 formats where the processor multiplies
// bfloat16, and tells whether it did.
func gemmBF16Arch(c, a Matrix, b *Packed, ep *Epilogue) bool {
	planes := b.format.planes()
	switch {
	case b.k == 0 || planes == 0 || b.format == BF16W:
		return false
	case isa == AMX:
	case dotBF16 && isa >= AVX512 && planes == 1:
	default:
		return false
	}
	return multiplyBF16(c, a, nil, b, ep, nil)
}

// multiplyBF16 computes c, or with to what goes there instead, from a or from what is rounded already. It returns
// false if the operands have no depth.
func multiplyBF16(c, a Matrix, rounded *Rounded, b *Packed, ep *Epilogue, to *Rounded) bool {
	if b.k == 0 {
		return false
	}
	p := productsBF16.get()
	p.c, p.a, p.b, p.rounded = c, a, b, rounded
	p.end.from(ep, b)
	p.end.to = to
	p.aside = p.end.overlaps(&c)
	p.run()
	*p = productBF16{}
	productsBF16.put(p)
	return true
}

// productBF16 is a product of bfloat16 planes. It runs in two phases: the panels of the left
// operand are packed, then the blocks of c computed. A block is cut into regions whose sums lie
// either in c itself or, where c ends within a tile or is still needed, in a buffer; when a region's
// sums are complete they are finished while they are in the cache.
//
// Every sum is one chain of additions in a fixed order, so no way of cutting changes a result.
type productBF16 struct {
	c, a    Matrix
	rounded *Rounded // in place of a, if not nil
	b       *Packed
	end     finisher
	aside   bool // the sums must not go to c before their time
	left    leftBF16
	part    int       // left panels that are packed at once
	depth   int       // groups of one pass over a region
	strip   int       // panels of a region
	chunk   int       // AMX: groups of which a strip of the right operand stays in the cache
	mb, nb  int       // blocks of c down and across
	panels  Packed    // what b is, if it is some panels of an operand
	how     dotFinish // how tiles are finished
	bias    []float32 // of whole panels, for that
}

// leftPart is how many elements of the left operand are worth handing to another processor.
const leftPart = 1 << 15

var productsBF16 freeList[productBF16]

type (
	leftPhase  productBF16
	blockPhase productBF16
)

// Do packs part i of the left operand.
func (p *leftPhase) Do(i int) { p.left.pack(i*p.part, min((i+1)*p.part, p.left.panels), &p.a) }

// Do computes block t of c.
func (p *blockPhase) Do(t int) {
	down, across := p.left.panels, p.b.panels
	i, j := t%p.mb, t/p.mb
	i0, i1, j1 := down*i/p.mb, down*(i+1)/p.mb, across*(j+1)/p.nb
	for j := across * j / p.nb; j < j1; j += p.strip {
		if end := min(j+p.strip, j1); p.how >= asRounded {
			(*productBF16)(p).finished(i0, i1, j, end)
		} else if p.left.rows == tilePanel {
			(*productBF16)(p).stripTiles(i0, i1, j, end)
		} else {
			(*productBF16)(p).block(i0, i1, j, end)
		}
	}
}

func (p *productBF16) run() {
	if p.rounded != nil {
		p.left = p.rounded.left
		p.plan()
		p.blocks()
		return
	}
	rows := dotRows
	if isa == AMX {
		rows = tilePanel
	}
	p.left.shape(p.c.Rows, p.b.k, rows, p.b.format.planes())
	buf := scratch.get(p.left.planeLen * p.left.planes / 2)
	p.left.v = asU16(buf)
	p.plan()
	p.part = max(1, leftPart/(p.left.rows*p.left.kp))
	if p.a.Trans {
		p.part = p.left.wide()
	}
	Run((p.left.panels+p.part-1)/p.part, (*leftPhase)(p))
	p.blocks()
	scratch.put(buf)
}

// blocks computes all blocks of c.
func (p *productBF16) blocks() {
	if p.how = p.finish(); p.how != inRegions {
		p.bias = p.padded()
		defer scratch.put(p.bias)
	}
	Run(p.mb*p.nb, (*blockPhase)(p))
}

func (p *productBF16) plan() {
	if p.left.rows == tilePanel {
		p.planTiles()
	} else {
		p.planDot()
	}
}

// block computes left panels i0 to i1 times right panels j0 to j1.
func (p *productBF16) block(i0, i1, j0, j1 int) {
	if p.aside && p.how == inRegions {
		p.region(i0, i1, j0, j1, true)
		return
	}
	down, across := min(i1, p.c.Rows/p.left.rows), min(j1, p.c.Cols/panelCols)
	if p.how == asNumbers {
		p.finished(i0, down, j0, across)
	} else {
		p.region(i0, down, j0, across, false)
	}
	p.region(max(i0, down), i1, j0, j1, true)
	p.region(i0, down, max(j0, across), j1, true)
}

// region is block with the sums in a buffer or in c.
func (p *productBF16) region(i0, i1, j0, j1 int, buffer bool) {
	if i0 >= i1 || j0 >= j1 {
		return
	}
	first, cols := i0*p.left.rows, j0*panelCols
	r := region{i0: i0, i1: i1, j0: j0, j1: j1, stride: p.c.Stride}
	if buffer {
		r.stride = (j1 - j0) * panelCols
		r.sum = scratch.get((i1 - i0) * p.left.rows * r.stride)
	} else {
		r.sum = p.c.V[first*p.c.Stride+cols:]
	}
	p.sumDot(&r)
	p.end.rows(r.sum, r.stride, &p.c, first, min(i1*p.left.rows, p.c.Rows), cols, min(j1*panelCols, p.c.Cols))
	if buffer {
		scratch.put(r.sum)
	}
}

// region is a part of c: the rows of left panels i0 to i1, the columns of right panels j0 to j1. Its
// sums begin at sum[0].
type region struct {
	i0, i1, j0, j1 int
	sum            []float32
	stride         int
}

// at is the sums of left panel i times right panel j.
func (r *region) at(i, j, rows int) *float32 {
	return &r.sum[(i-r.i0)*rows*r.stride+(j-r.j0)*panelCols]
}

// panelBF16 is group g of panel j of b's first plane.
func panelBF16(b *Packed, j, g int) *uint16 { return &b.plane(0, j)[g*groupDepth*panelCols] }
