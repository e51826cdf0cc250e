package kernel

// Conv describes a convolution of images whose channels lie last, [n, H, W, C], with a kernel of KH by
// KW pixels at every Stride-th place of the image with Pad pixels of zeros around it, to Out channels.
//
// Its weights are a matrix [KH·KW·C, Out]: the kernel's pixels row by row, channels last. A patch is
// what a kernel covers, in the same order; the convolution is the product of the patches, a row for
// every output pixel, with the weights.
type Conv struct{ H, W, C, KH, KW, Stride, Pad, Out int }

// OutSize is the height and width of the result; zero where the kernel does not fit.
func (c Conv) OutSize() (h, w int) {
	if c.Stride <= 0 {
		return 0, 0
	}
	return max((c.H+2*c.Pad-c.KH)/c.Stride+1, 0), max((c.W+2*c.Pad-c.KW)/c.Stride+1, 0)
}

// depth is the length of a patch.
func (c *Conv) depth() int { return c.KH * c.KW * c.C }

// plain tells whether a patch is just a pixel, so that the patches are the image.
func (c *Conv) plain() bool { return c.KH == 1 && c.KW == 1 && c.Stride == 1 && c.Pad == 0 }

// Conv2D is the convolution of n images x [n·H·W, C] with packed weights w [KH·KW·C, Out] and what ep
// says, as y [n·oh·ow, Out]; matrices of ep have the shape of y. It is Gemm on patches of which only
// some rows exist at a time, and like Gemm's a row of y depends on its own image alone. Short patches are multiplied in
// float32, with weights as they are packed; see convShort.
func Conv2D(y, x []float32, n int, c Conv, w *Packed, ep *Epilogue) {
	oh, ow := c.OutSize()
	rows := n * oh * ow
	if rows == 0 || c.Out == 0 {
		return
	}
	if c.plain() {
		Gemm(Mat(y, rows, c.Out), Mat(x, rows, c.C), w, ep)
		return
	}
	if c.short(w, ep) {
		convShort(y, x[:n*c.H*c.W*c.C], rows, c, w, ep)
		return
	}
	convBlocks(y, x[:n*c.H*c.W*c.C], rows, c, w, ep)
}

// convBlocks is Conv2D by Gemm on blocks of patches.
func convBlocks(y, x []float32, rows int, c Conv, w *Packed, ep *Epilogue) {
	j := convJobs.get()
	j.c, j.x, j.y, j.w = c, x, Mat(y, rows, c.Out), w
	j.epilogue(ep)
	j.step = c.blockRows()
	Run((rows+j.step-1)/j.step, j)
	*j = convJob{}
	convJobs.put(j)
}

// blockRows is how many patches exist at a time: what half of a second-level cache holds, in whole
// blocks of Gemm.
func (c *Conv) blockRows() int {
	const block, floats = 168, 1 << 17
	return max(min(floats/max(c.depth(), 1)/14*14, block), 28)
}

// convJob is a convolution on its way through Run: a piece is step rows of y.
type convJob struct {
	c    Conv
	x    []float32
	y    Matrix
	w    *Packed
	step int

	ep                     Epilogue
	pre, gradPre, residual Matrix // what ep points to
}

var convJobs freeList[convJob]

// epilogue copies ep, so that a caller's need not live on the heap.
func (j *convJob) epilogue(ep *Epilogue) {
	if ep == nil {
		return
	}
	j.ep = *ep
	keep := func(to *Matrix, m **Matrix) {
		if *m != nil {
			*to, *m = **m, to
		}
	}
	keep(&j.pre, &j.ep.Pre)
	keep(&j.gradPre, &j.ep.GradPre)
	keep(&j.residual, &j.ep.Residual)
}

// convBlock is a piece at work: an epilogue for its rows only.
type convBlock struct {
	ep                     Epilogue
	pre, gradPre, residual Matrix
}

var convBlockList freeList[convBlock]

// Do computes rows of y.
func (j *convJob) Do(piece int) {
	from := piece * j.step
	to, k := min(from+j.step, j.y.Rows), j.c.depth()
	patches := scratch.get((to - from) * k)
	j.c.patches(patches, j.x, from, to)
	b := convBlockList.get()
	b.ep = j.ep
	part := func(here *Matrix, m **Matrix) {
		if *m != nil {
			*here = (*m).band(from, to)
			*m = here
		}
	}
	part(&b.pre, &b.ep.Pre)
	part(&b.gradPre, &b.ep.GradPre)
	part(&b.residual, &b.ep.Residual)
	Gemm(j.y.band(from, to), Mat(patches, to-from, k), j.w, &b.ep)
	*b = convBlock{}
	convBlockList.put(b)
	scratch.put(patches)
}

// band is rows from to to of a matrix that is not transposed.
func (m *Matrix) band(from, to int) Matrix {
	b := *m
	b.Rows = to - from
	b.V = m.V[from*m.Stride:]
	if to < m.Rows {
		b.V = m.V[from*m.Stride : to*m.Stride]
	}
	return b
}

// patches writes the patches of output pixels from to to, end to end.
func (c *Conv) patches(dst, x []float32, from, to int) {
	at, k := c.pixel(from), c.depth()
	for range to - from {
		c.patch(dst[:k], x, &at)
		dst = dst[k:]
		at.next()
	}
}

// spread is the transpose of patches: it adds the gradients of the patches to that of one image,
// whose output pixels are from to to.
func (c *Conv) spread(dx, patches []float32, from, to int) {
	_, ow := c.OutSize()
	run := c.KW * c.C
	for i := from; i < to; i++ {
		top, left := i/ow*c.Stride-c.Pad, i%ow*c.Stride-c.Pad
		before, after := max(-left, 0)*c.C, max(left+c.KW-c.W, 0)*c.C
		for ky := range c.KH {
			d := patches[:run]
			patches = patches[run:]
			y := top + ky
			if y < 0 || y >= c.H || before+after >= run {
				continue
			}
			at := (y*c.W+left)*c.C + before
			to := dx[at : at+run-before-after]
			addRows(to, to, d[before:run-after])
		}
	}
}
