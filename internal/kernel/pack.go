package kernel

import (
	"math"
	"unsafe"

	"github.com/clipcap-go/clipcap/internal/half"
)

// panelCols is the width of a panel: the columns a register kernel computes at once.
const panelCols = 32

// Packed is the right operand of a product, [k, n], stored as panels of 32 columns in the order the
// kernels read them. Columns that fill up the last panel are zero. The zero value is ready to Pack.
//
//	F32          [panel][k][32]float32
//	BF16…BF16W   [plane][panel][k/2][32][2]uint16, k filled up to a multiple of 32 with zeros;
//	             for AMX, all but BF16W, [plane][panel][2][k/2][16][2]uint16
//	Int8         [panel][k][32]int8, and a scale a column
//
// Pairs of depth lie together in the bfloat16 formats because that is what VDPBF16PS and AMX tiles
// multiply. A tile has 16 columns, and AMX multiplies one half of a panel after the other: of halves side by side
// each would lie in every other cache line, in half of a cache. Any number of products may read one Packed at
// the same time.
type Packed struct {
	k, n   int
	kp     int // depth as stored
	panels int
	step   int // panels from a plane to the next
	format Format
	halves bool      // the columns of a panel lie in two halves
	mem    []float32 // the panels, whatever their element type
	scale  []float32 // Int8: [32*panels]
}

// Depth is k, the rows of the operand.
func (p *Packed) Depth() int { return p.k }

// Cols is n, the columns of the operand.
func (p *Packed) Cols() int { return p.n }

// Format is how the operand is stored.
func (p *Packed) Format() Format { return p.format }

// Bytes is the memory that holds the operand.
func (p *Packed) Bytes() int { return 4 * (len(p.mem) + len(p.scale)) }

// Pack stores b, [k, n] and transposed or not, in format f. It reuses p's memory where that is
// large enough. Int8 rounds x·127/max|column| to the nearest integer; a column that holds an
// infinity or a NaN becomes NaN altogether. A bfloat16 plane of an infinity gives NaN in all
// formats that have more than one.
func (p *Packed) Pack(b Matrix, f Format) {
	p.shape(b.Rows, b.Cols, f)
	if p.k == 0 || p.n == 0 {
		return
	}
	p.pack(b, 0)
}

// PackPart is Pack of an operand that comes in parts, one after the other: b holds its columns from from on, a multiple of 32
// of them unless they are the last; n is the number of all. Products may begin when all are there.
func (p *Packed) PackPart(b Matrix, from, n int, f Format) {
	if from == 0 {
		p.shape(b.Rows, n, f)
	}
	if b.Rows > 0 && b.Cols > 0 {
		p.pack(b, from/panelCols)
	}
}

// PartCols is what the columns of a part are a multiple of.
const PartCols = panelCols

// pack stores b in panels from first on.
func (p *Packed) pack(b Matrix, first int) {
	j := packJobs.get()
	j.p, j.b, j.first, j.panels = p, b, first, (b.Cols+panelCols-1)/panelCols
	j.per = max(1, packGrain/(p.k*panelCols))
	Run((j.panels+j.per-1)/j.per, j)
	*j = packJob{}
	packJobs.put(j)
}

// shape gives p the memory for an operand [k, n] in format f, with arbitrary content.
func (p *Packed) shape(k, n int, f Format) {
	p.k, p.n, p.format, p.kp = k, n, f, k
	p.panels = (n + panelCols - 1) / panelCols
	p.step = p.panels
	p.halves = isa == AMX && f.planes() > 0 && f != BF16W
	floats := 0
	switch q := f.planes(); {
	case q > 0:
		p.kp = (k + 31) &^ 31
		floats = q * p.panels * p.kp * panelCols / 2
	case f == Int8:
		floats = p.panels * k * panelCols / 4
	default:
		floats = p.panels * k * panelCols
	}
	p.mem = regrow(p.mem, floats)
	if f != Int8 {
		p.scale = nil
		return
	}
	p.scale = regrow(p.scale, p.panels*panelCols)
}

func regrow(v []float32, n int) []float32 {
	if cap(v) >= n {
		return v[:n]
	}
	v = alignedFloats(n)
	LargePages(v)
	return v
}

// floats is panel j of an F32 operand, [k][32].
func (p *Packed) floats(j int) []float32 {
	size := p.k * panelCols
	return p.mem[j*size : (j+1)*size]
}

// plane is panel j of bfloat16 plane q, [kp/2][32][2] or [2][kp/2][16][2].
func (p *Packed) plane(q, j int) []uint16 {
	size := p.kp * panelCols
	at := (q*p.step + j) * size
	return asU16(p.mem)[at : at+size]
}

// pairs is how a panel of bfloat16 lies.
type pairs struct {
	row   int // numbers from a row of pairs to the next
	right int // from the first column to the 17th
}

func (p *Packed) pairs() pairs {
	if p.halves {
		return pairs{panelCols, p.kp * panelCols / 2}
	}
	return pairs{2 * panelCols, panelCols}
}

// at is where row k of column j lies in a panel.
func (l pairs) at(k, j int) int { return k>>1*l.row + j>>4*l.right + j&15<<1 + k&1 }

// bytes is panel j of an Int8 operand, [k][32].
func (p *Packed) bytes(j int) []int8 { return p.panelBytes(j, j+1) }

// panelBytes is the panels from j on before end, as they lie one behind the other.
func (p *Packed) panelBytes(j, end int) []int8 {
	size := p.k * panelCols
	all := unsafe.Slice((*int8)(unsafe.Pointer(unsafe.SliceData(p.mem))), 4*len(p.mem))
	return all[j*size : end*size]
}

const (
	packGrain  = 1 << 16 // elements in a piece of Pack
	packDepth  = 128     // rows that are brought into panel order before they are converted
	planePiece = 256     // elements that takePlane rounds at once
)

// packJob packs panels: piece i is per of them from first + i*per on. The first is column 0 of b.
type packJob struct {
	p             *Packed
	b             Matrix
	first, panels int
	per           int
}

var packJobs freeList[packJob]

// Do packs the panels of a piece.
func (j *packJob) Do(piece int) {
	if j.p.format == BF16 && j.p.packPairsArch(&j.b, j.first+piece*j.per, piece*j.per*panelCols, min(j.per, j.panels-piece*j.per)) {
		return
	}
	for i := piece * j.per; i < min((piece+1)*j.per, j.panels); i++ {
		q, j0 := j.first+i, i*panelCols
		switch p := j.p; p.format {
		case F32:
			packPanel(p.floats(q), &j.b, j0, 0, p.k)
		case Int8:
			p.packInt8(&j.b, q, j0)
		default:
			p.packPlanes(&j.b, q, j0)
		}
	}
}

// packPanel writes rows k0 to k0+kn of the 32 columns from j0 on as [kn][32], zeros beyond the last column.
func packPanel(dst []float32, b *Matrix, j0, k0, kn int) {
	n := min(panelCols, b.Cols-j0)
	dst = dst[:kn*panelCols]
	if n < panelCols {
		clear(dst)
	}
	switch {
	case kn == 0:
	case b.Trans:
		packAcross(dst, panelCols, b.V[j0*b.Stride+k0:], b.Stride, n, kn)
	default:
		packAlong(dst, panelCols, b.V[k0*b.Stride+j0:], b.Stride, n, kn)
	}
}

// packAlong is dst[k][j] = src[k][j] for depth k and n j, with rows of dst and src a step apart.
func packAlong(dst []float32, dstStep int, src []float32, srcStep, n, depth int) {
	if packAlongArch(dst, dstStep, src, srcStep, n, depth) {
		return
	}
	for k := range depth {
		copy(dst[k*dstStep:k*dstStep+n], src[k*srcStep:])
	}
}

// packAcross is dst[k][j] = src[j][k] for depth k and n j, with rows of dst and src a step apart.
func packAcross(dst []float32, dstStep int, src []float32, srcStep, n, depth int) {
	if packAcrossArch(dst, dstStep, src, srcStep, n, depth) {
		return
	}
	for j := range n {
		for k, x := range src[j*srcStep : j*srcStep+depth] {
			dst[k*dstStep+j] = x
		}
	}
}

// takePlane replaces every x by bfloat16 plane q of x.
func takePlane(x []float32, q int) {
	for range q {
		loseBF16(x)
	}
	var narrow [planePiece]uint16
	for len(x) > 0 {
		n := min(len(x), planePiece)
		half.NarrowBF16(narrow[:n], x[:n])
		half.WidenBF16(x[:n], narrow[:n])
		x = x[n:]
	}
}

// loseBF16 leaves of every x what rounding it to bfloat16 loses.
func loseBF16(x []float32) {
	for i, v := range x {
		x[i] = v - roundBF16(v)
	}
}

// packPlanes splits the columns of b from j0 on into the bfloat16 planes of panel q.
func (p *Packed) packPlanes(b *Matrix, q, j0 int) {
	wide := scratch.get(packDepth * panelCols)
	lie := p.pairs()
	for k0 := 0; k0 < p.kp; k0 += packDepth {
		kn := min(packDepth, p.kp-k0)
		have := max(0, min(kn, p.k-k0))
		packPanel(wide, b, j0, k0, have)
		clear(wide[have*panelCols : kn*panelCols])
		for plane := range p.format.planes() {
			last := plane == p.format.planes()-1
			splitPairs(p.plane(plane, q)[lie.at(k0, 0):], lie, wide[:kn*panelCols], last)
		}
	}
	scratch.put(wide)
}

// splitPairs rounds src, [2n][32], to n rows of pairs in dst, and unless last leaves in src what the rounding lost.
func splitPairs(dst []uint16, lie pairs, src []float32, last bool) {
	if splitPairsArch(dst, lie, src, last) {
		return
	}
	for i, x := range src {
		h := bf16Of(x)
		dst[lie.at(i/panelCols, i%panelCols)] = h
		if !last {
			src[i] -= f32OfBF16(h)
		}
	}
}

// packInt8 quantises the columns of b from j0 on as panel q.
func (p *Packed) packInt8(b *Matrix, q, j0 int) {
	wide := scratch.get(packDepth * panelCols)
	var most, inverse [panelCols]float32
	for k0 := 0; k0 < p.k; k0 += packDepth {
		kn := min(packDepth, p.k-k0)
		packPanel(wide, b, j0, k0, kn)
		for i, x := range wide[:kn*panelCols] {
			most[i%panelCols] = max(most[i%panelCols], float32(math.Abs(float64(x)))) // keeps a NaN
		}
	}
	for j, m := range most {
		p.scale[q*panelCols+j], inverse[j] = m/127, 0
		switch {
		case m-m != 0: // an infinity or a NaN
			p.scale[q*panelCols+j] = float32(math.NaN())
		case m > 0:
			inverse[j] = 127 / m
		}
	}
	out := p.bytes(q)
	for k0 := 0; k0 < p.k; k0 += packDepth {
		kn := min(packDepth, p.k-k0)
		packPanel(wide, b, j0, k0, kn)
		quantise(out[k0*panelCols:(k0+kn)*panelCols], wide, &inverse)
	}
	scratch.put(wide)
}

// quantise is dst = round(src·inverse), to even, [n][32].
func quantise(dst []int8, src []float32, inverse *[panelCols]float32) {
	const magic = 3 << 22 // adding it leaves the nearest integer in the low bits
	for i := range dst {
		inv := inverse[i%panelCols]
		if inv == 0 || inv-inv != 0 {
			dst[i] = 0
			continue
		}
		x := min(max(src[i]*inv, -127), 127)
		dst[i] = int8(int32(math.Float32bits(x+magic) - math.Float32bits(magic)))
	}
}
