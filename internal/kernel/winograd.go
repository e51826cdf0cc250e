package kernel

import (
	"runtime"
	"unsafe"
)

// Winograd's convolution F(2×2, 3×3) (Lavin and Gray 2015): each square of two by two output pixels takes
// sixteen products where the definition takes thirty-six. With d the four by four pixels below a square and g
// a kernel,
//
//	y = Aᵀ·((G·g·Gᵀ) ⊙ (Bᵀ·d·B))·A
//
//	     1  0 -1  0         1   0   0         1  1  1  0
//	Bᵀ = 0  1  1  0    G =  ½   ½   ½    Aᵀ = 0  1 -1 -1
//	     0 -1  1  0         ½  -½   ½
//	     0  1  0 -1         0   0   1
//
// and the sums over channels make sixteen matrix products, one for each place of the transformed square. Of the
// transforms only G rounds more than additions do, and that is computed in float64.
const (
	winogradPlaces  = 16
	winogradPairs   = 96       // channels below which bfloat16 is slower than float32 if they do not nearly fill their groups
	winogradLeast   = 16       // channels below which the transforms would cost too much
	winogradRows    = 112      // squares of a block at most: the products' rows
	winogradRounded = 84       // the same where images are rounded, and sums in the nearest cache
	winogradFloats  = 24 << 10 // elements of one place's blocks, of both sides, that the second-level cache should hold
)

// Winograd tells whether Conv2DWinograd computes c.
func (c Conv) Winograd() bool {
	return c.KH == 3 && c.KW == 3 && c.Stride == 1 && c.C >= winogradLeast && c.Out >= winogradLeast && c.H+2*c.Pad >= 3 && c.W+2*c.Pad >= 3
}

// WinogradFormat is the format in which Conv2DWinograd is fastest for c where f will do: few channels are most of all rounded,
// brought into order and filled up with zeros if bfloat16 multiplies them, unless that is many times as fast.
func (c Conv) WinogradFormat(f Format) Format {
	if f == BF16 && isa < AMX && c.C < winogradPairs && !WorthRounding(c.C) {
		return F32
	}
	return f
}

// PackWinograd packs the weights w [Out, 9·C], the transpose of what Conv2D takes, into the sixteen right operands of
// Conv2DWinograd.
func PackWinograd(parts []*Packed, w Matrix, c Conv, f Format) {
	part := make([]float32, winogradPlaces*c.Out*c.C)
	for o := range c.Out {
		for ch := range c.C {
			var g [3][3]float64
			for i := range 9 {
				g[i/3][i%3] = float64(w.at(o, i*c.C+ch))
			}
			var t [4][3]float64 // G·g
			for j := range 3 {
				t[0][j], t[3][j] = g[0][j], g[2][j]
				t[1][j], t[2][j] = (g[0][j]+g[1][j]+g[2][j])/2, (g[0][j]-g[1][j]+g[2][j])/2
			}
			for i, r := range t {
				for j, v := range [4]float64{r[0], (r[0] + r[1] + r[2]) / 2, (r[0] - r[1] + r[2]) / 2, r[2]} {
					part[((4*i+j)*c.Out+o)*c.C+ch] = float32(v)
				}
			}
		}
	}
	for i, p := range parts {
		p.Pack(Mat(part[i*c.Out*c.C:(i+1)*c.Out*c.C], c.Out, c.C).T(), f)
	}
}

// Conv2DWinograd is Conv2D for a convolution that Winograd approves, with weights of PackWinograd and an epilogue of bias
// and activation alone. Weights packed to BF16 are fastest if y is rounded, whose activation is None or ReLU.
func Conv2DWinograd(y, x Pixels, n int, c Conv, w []*Packed, bias []float32, act Activation) {
	oh, ow := c.OutSize()
	squares := n * ((oh + 1) / 2) * ((ow + 1) / 2)
	if squares == 0 {
		return
	}
	j := winogradJobs.get()
	if to, ok := y.floats(); ok {
		y = Pixels{Floats: to}
	}
	j.between = w[0].format == BF16 && y.Rounded != nil
	var wide []float32
	if from, ok := x.floats(); ok {
		x = Pixels{Floats: from}
	} else if !j.between {
		wide = scratch.get(n * c.H * c.W * c.C)
		x = Pixels{Floats: x.Rounded.widen(wide)}
	}
	j.c, j.x, j.y, j.w, j.bias, j.act = c, x, y, w, bias, act
	j.oh, j.ow, j.down, j.across = oh, ow, (oh+1)/2, (ow+1)/2
	j.squares = squares
	procs := runtime.GOMAXPROCS(0)
	rows := min(max(winogradFloats/(c.C+c.Out), 2*tileRows()), winogradRows)
	if j.between {
		rows = winogradRounded
		if isa == AMX {
			rows = winogradTileRows(c.C)
		}
	}
	j.mb = (j.squares + rows - 1) / rows
	j.nb = 1
	cuts := w[0].format == F32 || j.between && isa < AMX // Gemm cuts columns itself
	if j.mb < procs && cuts {                            // too few blocks for all
		j.nb = min(w[0].panels, (procs+j.mb-1)/j.mb)
	} else if j.mb < 8*procs {
		j.mb = roundUp(j.mb, procs)
	}
	Run(j.mb*j.nb, j)
	if wide != nil {
		scratch.put(wide)
	}
	*j = winogradJob{}
	winogradJobs.put(j)
}

// winogradTileRows is winogradRounded for tiles: panels of squares whose places, of c channels, fill half of the second-level cache.
func winogradTileRows(c int) int {
	const panel = 32
	return panel * min(max(1<<19/(winogradPlaces*panel*c), 2), 6)
}

// winogradJob is Conv2DWinograd on its way through Run: a piece is some squares, and some panels of the output's channels.
type winogradJob struct {
	c            Conv
	x, y         Pixels
	w            []*Packed
	bias         []float32
	act          Activation
	oh, ow       int
	down, across int // squares of an image
	squares      int
	between      bool // to rounded images, with weights packed to BF16
	mb, nb       int  // blocks of squares, and of panels
}

var winogradJobs freeList[winogradJob]

// Do computes a piece.
func (j *winogradJob) Do(piece int) {
	m, nb := piece%j.mb, piece/j.mb
	s0, s1 := j.squares*m/j.mb, j.squares*(m+1)/j.mb
	panels := j.w[0].panels
	p0, p1 := panels*nb/j.nb, panels*(nb+1)/j.nb
	b := winogradBlock{winogradJob: j, s0: s0, rows: s1 - s0, p0: p0, p1: p1, wide: (p1 - p0) * panelCols}
	switch {
	case b.rows == 0: // more pieces than squares
		return
	case j.between:
		b.rounded()
		return
	}
	in, out := b.rows*j.c.C, b.rows*b.wide
	b.in, b.out = scratch.get(winogradPlaces*in), scratch.get(winogradPlaces*out)
	if j.y.Rounded != nil && j.c.Out%panelCols > 0 {
		clear(b.out) // products leave columns that are not there alone
	}
	b.transform(in)
	for place := range winogradPlaces {
		b.product(b.out[place*out:(place+1)*out], b.in[place*in:(place+1)*in], j.w[place])
	}
	scratch.put(b.in)
	if j.y.Rounded != nil {
		bias := b.paddedBias()
		b.finishRounded(b.out, out, bias)
		scratch.put(bias)
	} else {
		b.finish(out)
	}
	scratch.put(b.out)
}

// winogradBlock is a piece at work: rows squares from s0 on, panels p0 to p1.
type winogradBlock struct {
	*winogradJob
	s0, rows, p0, p1 int
	wide             int
	in, out          []float32 // [place][square][channel]
}

// place is where square s lies: its image and its first pixel there.
func (j *winogradJob) place(s int) (image, y, x int) {
	each := j.down * j.across
	return s / each, s % each / j.across * 2, s % j.across * 2
}

// transform brings the squares' pixels into places, step elements apart.
func (b *winogradBlock) transform(step int) {
	c := &b.c
	zero := scratch.get(c.C)
	clear(zero)
	var from [winogradPlaces]unsafe.Pointer
	for s := range b.rows {
		image, y, x := b.place(b.s0 + s)
		y, x = y-c.Pad, x-c.Pad
		pixels := b.x.Floats[image*c.H*c.W*c.C:][:c.H*c.W*c.C]
		for i := range from {
			if py, px := y+i/4, x+i%4; uint(py) < uint(c.H) && uint(px) < uint(c.W) {
				at := (py*c.W + px) * c.C
				from[i] = unsafe.Pointer(&pixels[at : at+c.C][0])
			} else {
				from[i] = unsafe.Pointer(&zero[0])
			}
		}
		winogradIn(b.in[s*c.C:], step, &from, c.C)
	}
	scratch.put(zero)
}

// product is one place's matrix product.
func (b *winogradBlock) product(out, in []float32, w *Packed) {
	if w.format != F32 {
		all := Mat(out, b.rows, b.wide)
		all.Cols = w.n
		Gemm(all, Mat(in, b.rows, b.c.C), w, nil)
		return
	}
	tiles := (b.rows + tileRows() - 1) / tileRows()
	for p := b.p0; p < b.p1; p++ {
		panel := w.floats(p)
		t := tile{k: b.c.C, rowStep: b.c.C, depthStep: 1, stride: b.wide}
		t.ahead = uintptr(unsafe.Pointer(&panel[0]))
		if p+1 < b.p1 { // fetch the next panel, by each tile in part
			t.ahead += uintptr(4 * len(panel))
			t.aheadStep = 4 * panelCols / tiles
		}
		for n := range tiles {
			r0 := b.rows * n / tiles
			t.rows = b.rows*(n+1)/tiles - r0
			t.a, t.c = in[r0*b.c.C:], out[r0*b.wide+(p-b.p0)*panelCols:]
			if b.y.Rounded != nil || !t.f32NarrowArch(panel, b.c.Out-p*panelCols) {
				t.f32(panel)
			}
			t.ahead += uintptr(b.c.C * t.aheadStep)
		}
	}
}

// finish makes pixels of the products' places, step elements apart.
func (b *winogradBlock) finish(step int) {
	c := &b.c
	o0, o1 := b.p0*panelCols, min(b.p1*panelCols, c.Out)
	bias := b.bias
	spare := scratch.get(2 * c.Out)
	if clear(spare); bias == nil {
		bias = spare[c.Out:]
	}
	var to [4]unsafe.Pointer
	for s := range b.rows {
		image, y, x := b.place(b.s0 + s)
		for i := range to {
			to[i] = unsafe.Pointer(&spare[0]) // for pixels that are not there
			if py, px := y+i/2, x+i%2; py < b.oh && px < b.ow {
				at := ((image*b.oh+py)*b.ow + px) * c.Out
				to[i] = unsafe.Pointer(&b.y.Floats[at : at+c.Out][o0])
			}
		}
		winogradOut(&to, b.out[s*b.wide:], step, bias[o0:o1], b.act == ReLU)
		if b.act != None && b.act != ReLU {
			for _, p := range to {
				row := unsafe.Slice((*float32)(p), o1-o0)
				actRow(row, row, b.act)
			}
		}
	}
	scratch.put(spare)
}

// finishRounded is finish for a rounded result, of sums [place][square][channel] whose places are step elements apart: it writes
// whole groups, whose last columns are zero because the weights are.
func (b *winogradBlock) finishRounded(sums []float32, step int, bias []float32) {
	y := b.y.Rounded
	spare := scratch.get(y.sizeOfRow())
	var to [1][4]unsafe.Pointer
	for s := range b.rows {
		b.targets(&to[0], s, unsafe.Pointer(&spare[0]))
		winogradOutRounded(to[:], b.p0*y.step(), y.step(), sums[s*b.wide:], step, b.wide, bias[b.p0*panelCols:b.p1*panelCols], b.act == ReLU)
	}
	scratch.put(spare)
}

// targets are where the pixels of square s lie rounded; those that are not there lie at spare.
func (b *winogradBlock) targets(to *[4]unsafe.Pointer, s int, spare unsafe.Pointer) {
	image, py, px := b.place(b.s0 + s)
	for i := range to {
		if to[i] = spare; py+i/2 < b.oh && px+i%2 < b.ow {
			to[i] = b.y.Rounded.at((image*b.oh+py+i/2)*b.ow + px + i%2)
		}
	}
}

// paddedBias is the bias of whole panels.
func (b *winogradBlock) paddedBias() []float32 {
	v := scratch.get(b.w[0].panels * panelCols)
	clear(v[copy(v, b.bias):])
	return v
}

// winogradIn is Bᵀ·d·B of n channels of the pixels that from points to; its places are step apart in dst.
func winogradIn(dst []float32, step int, from *[winogradPlaces]unsafe.Pointer, n int) {
	_ = dst[(winogradPlaces-1)*step+n-1]
	if winogradInArch(dst, step, from, n) {
		return
	}
	var d [winogradPlaces][]float32
	for i, p := range from {
		d[i] = unsafe.Slice((*float32)(p), n)
	}
	for ch := range n {
		var t [4][4]float32
		for j := range 4 {
			a, b, c, e := d[j][ch], d[4+j][ch], d[8+j][ch], d[12+j][ch]
			t[0][j], t[1][j], t[2][j], t[3][j] = a-c, b+c, c-b, b-e
		}
		for i, r := range t {
			at := 4*i*step + ch
			dst[at], dst[at+step], dst[at+2*step], dst[at+3*step] = r[0]-r[2], r[1]+r[2], r[2]-r[1], r[1]-r[3]
		}
	}
}

// winogradOut is Aᵀ·m·A + bias, and with relu what is positive of it, where m's places are step apart in src; to points
// to the four pixels.
func winogradOut(to *[4]unsafe.Pointer, src []float32, step int, bias []float32, relu bool) {
	_ = src[(winogradPlaces-1)*step+len(bias)-1]
	if winogradOutArch(to, src, step, bias, relu) {
		return
	}
	var y [4][]float32
	for i, p := range to {
		y[i] = unsafe.Slice((*float32)(p), len(bias))
	}
	for ch, add := range bias {
		var s [2][4]float32
		for j := range 4 {
			m := src[j*step+ch:]
			a, b, c, d := m[0], m[4*step], m[8*step], m[12*step]
			s[0][j], s[1][j] = b+c+a, b-c-d
		}
		for i, r := range s {
			v, w := r[1]+r[2]+r[0]+add, r[1]-r[2]-r[3]+add
			if relu {
				v, w = max(v, 0), max(w, 0)
			}
			y[2*i][ch], y[2*i+1][ch] = v, w
		}
	}
}
