package kernel

import "unsafe"

// Convolutions of an image's three channels have patches of some two dozen numbers. Brought into order for a product of matrices
// in blocks, and its rows finished one by one, they take several times the product's own time. So they go tile by
// tile: the patches of a tile's rows are written, multiplied, and the activation applied, while all of it is in the nearest
// cache. The bias is a last row of the weights that meets a 1, which adds it exactly as a sum of its own would.
//
// Weights in bfloat16 are widened, which takes no time for so few, and the images stay as they are: this is faster than rounding these.

// shortDepth is the longest patch that is done so.
const shortDepth = 48

// short tells whether a convolution is done tile by tile.
func (c *Conv) short(w *Packed, ep *Epilogue) bool {
	return !c.plain() && c.depth() > 0 && c.depth() <= shortDepth && (w.format == F32 || w.format == BF16) &&
		(ep == nil || ep.Pre == nil && ep.GradPre == nil && ep.Residual == nil && ep.Rounded == nil && !ep.Positive)
}

// shortJob is such a convolution on its way through Run: a piece is shortRows rows of y.
type shortJob struct {
	c    Conv
	x, y []float32
	rows int
	w    Packed // F32 [depth+1, Out], the bias last
	act  Activation
}

var shortJobs freeList[shortJob]

// shortRows are some 20 µs of work.
const shortRows = 1008

// shortAhead is how many tiles ahead the lines of y are fetched: they are nowhere near, and would be waited for one by one.
const shortAhead = 4

// convShort is Conv2D for what is short.
func convShort(y, x []float32, rows int, c Conv, w *Packed, ep *Epilogue) {
	j := shortJobs.get()
	j.c, j.x, j.y, j.rows = c, x, y, rows
	var bias []float32
	if ep != nil {
		bias, j.act = ep.Bias, ep.Act
	}
	j.weights(w, bias)
	Run((rows+shortRows-1)/shortRows, j)
	*j = shortJob{w: j.w} // which keeps its memory
	shortJobs.put(j)
}

// weights sets j.w.
func (j *shortJob) weights(w *Packed, bias []float32) {
	j.w.shape(w.k+1, w.n, F32)
	for p := range w.panels {
		to := j.w.floats(p)
		if w.format == F32 {
			copy(to, w.floats(p))
		} else {
			lie, from := w.pairs(), w.plane(0, p)
			for i := range w.k * panelCols {
				to[i] = f32OfBF16(from[lie.at(i/panelCols, i%panelCols)])
			}
		}
		last := to[w.k*panelCols:]
		clear(last)
		if bias != nil {
			copy(last, bias[p*panelCols:min((p+1)*panelCols, w.n)])
		}
	}
}

// Do computes rows of y.
func (j *shortJob) Do(piece int) {
	from, to := piece*shortRows, min((piece+1)*shortRows, j.rows)
	most, k, out := tileRows(), j.w.k, j.c.Out
	buf := scratch.get(most * (k + panelCols))
	patches, edge := buf[:most*k], buf[most*k:]
	for r := range most {
		patches[r*k+k-1] = 1
	}
	at := j.c.pixel(from)
	for i := from; i < to; i += most {
		rows := min(most, to-i)
		for r := range rows {
			j.c.patch(patches[r*k:(r+1)*k-1], j.x, &at)
			at.next()
		}
		y := j.y[i*out : (i+rows)*out]
		ahead := uintptr(unsafe.Pointer(&y[0])) + uintptr(shortAhead*4*len(y))
		for p := range j.w.panels {
			j.tile(y, patches, edge, rows, p, ahead+uintptr(4*len(y)/j.w.panels*p))
		}
		if j.act != None {
			actRow(y, y, j.act)
		}
	}
	scratch.put(buf)
}

// tile sets the columns of panel p of some rows of y.
func (j *shortJob) tile(y, patches, edge []float32, rows, p int, ahead uintptr) {
	panel, k, out := j.w.floats(p), j.w.k, j.c.Out
	t := tile{rows: rows, k: k, a: patches, rowStep: k, depthStep: 1, c: y[p*panelCols:], stride: out, ahead: ahead, aheadStep: 4 * len(y) / j.w.panels / k}
	cols := min(panelCols, out-p*panelCols)
	switch {
	case cols == panelCols:
		t.f32(panel)
	case t.f32NarrowArch(panel, cols):
	default:
		t.c, t.stride = edge, panelCols
		t.f32(panel)
		for r := range rows {
			copy(y[r*out+p*panelCols:][:cols], edge[r*panelCols:])
		}
	}
}

// pixel is an output pixel on the way through the images.
type pixel struct {
	c                *Conv
	image, top, left int // where its kernel begins: image's first number, row, column
	end, bottom      int // of left in a row and of top in an image
}

// pixel is output pixel i.
func (c *Conv) pixel(i int) pixel {
	oh, ow := c.OutSize()
	return pixel{c: c, image: i / (oh * ow) * c.H * c.W * c.C, top: i/ow%oh*c.Stride - c.Pad, left: i%ow*c.Stride - c.Pad,
		end: ow*c.Stride - c.Pad, bottom: oh*c.Stride - c.Pad}
}

// next goes to the next pixel.
func (p *pixel) next() {
	if p.left += p.c.Stride; p.left < p.end {
		return
	}
	p.left = -p.c.Pad
	if p.top += p.c.Stride; p.top < p.bottom {
		return
	}
	p.top = -p.c.Pad
	p.image += p.c.H * p.c.W * p.c.C
}

// patch writes the patch of a pixel.
func (c *Conv) patch(dst, x []float32, p *pixel) {
	run := c.KW * c.C // a row of a kernel is contiguous in the image
	at := p.image + (p.top*c.W+p.left)*c.C
	if p.top >= 0 && p.left >= 0 && p.top+c.KH <= c.H && p.left+c.KW <= c.W {
		for range c.KH {
			if run == 9 { // of known length: no call
				d, s := (*[9]float32)(dst), (*[9]float32)(x[at:])
				d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], d[8] = s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8]
			} else {
				copy(dst[:run], x[at:])
			}
			dst, at = dst[run:], at+c.W*c.C
		}
		return
	}
	before, after := max(-p.left, 0)*c.C, max(p.left+c.KW-c.W, 0)*c.C // zeros
	for ky := range c.KH {
		d := dst[:run]
		if y := p.top + ky; y < 0 || y >= c.H || before+after >= run {
			clear(d)
		} else {
			clear(d[:before])
			copy(d[before:run-after], x[at+before:])
			clear(d[run-after:])
		}
		dst, at = dst[run:], at+c.W*c.C
	}
}
