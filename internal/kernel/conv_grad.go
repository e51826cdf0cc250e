package kernel

// Conv2DGradX sets dx, the gradient of Conv2D's images, from dy [n·oh·ow, Out] and the weights w
// [Out, KH·KW·C], which is the transpose of what Conv2D packs (or T of that).
func Conv2DGradX(dx, dy []float32, n int, c Conv, w Matrix, prec Precision) {
	oh, ow := c.OutSize()
	clear(dx[:n*c.H*c.W*c.C])
	if n*oh*ow == 0 || c.depth() == 0 {
		return
	}
	p := loans.get()
	p.Pack(w, FormatFor(prec))
	if c.plain() {
		Gemm(Mat(dx, n*oh*ow, c.C), Mat(dy, n*oh*ow, c.Out), p, nil)
	} else {
		j := convGradJobs.get()
		j.c, j.dx, j.dy, j.w, j.step = c, dx, dy, p, c.blockRows()
		Run(n, j)
		*j = convGradJob{}
		convGradJobs.put(j)
	}
	loans.put(p)
}

// convGradJob is Conv2DGradX on its way through Run: a piece is an image, since patches overlap.
type convGradJob struct {
	c      Conv
	dx, dy []float32
	w      *Packed
	step   int
}

var convGradJobs freeList[convGradJob]

// Do computes the gradient of an image.
func (j *convGradJob) Do(image int) {
	oh, ow := j.c.OutSize()
	rows, size, k := oh*ow, j.c.H*j.c.W*j.c.C, j.c.depth()
	dx := j.dx[image*size : (image+1)*size]
	dy := Mat(j.dy[image*rows*j.c.Out:], rows, j.c.Out)
	patches := scratch.get(min(j.step, rows) * k)
	for from := 0; from < rows; from += j.step {
		to := min(from+j.step, rows)
		Gemm(Mat(patches, to-from, k), dy.band(from, to), j.w, nil)
		j.c.spread(dx, patches, from, to)
	}
	scratch.put(patches)
}

// Conv2DGradW sets dw [Out, KH·KW·C], the gradient of Conv2D's weights transposed, from dy and the n
// images x. The sum over the pixels has a fixed order.
func Conv2DGradW(dw Matrix, dy, x []float32, n int, c Conv, prec Precision) {
	oh, ow := c.OutSize()
	rows, k := n*oh*ow, c.depth()
	if c.plain() {
		GemmBoth(dw, Mat(dy, rows, c.Out).T(), Mat(x, rows, k), prec, nil)
		return
	}
	j := patchJobs.get()
	j.c, j.x = c, x
	all := Mat(dy, rows, c.Out)
	step := max(gradWFloats/max(k, 1), 1)
	patches := scratch.get(min(step, rows) * k)
	for from := 0; from < max(rows, 1); from += step {
		to := min(from+step, rows)
		j.fill(patches, from, to)
		some := all.band(from, to)
		j.ep, j.dw = Epilogue{}, dw
		if from > 0 {
			j.ep.Residual = &j.dw
		}
		GemmBoth(dw, some.T(), Mat(patches, to-from, k), prec, &j.ep)
	}
	scratch.put(patches)
	*j = patchJob{}
	patchJobs.put(j)
}

// gradWFloats is how many elements of patches Conv2DGradW holds at a time, 8 MiB: few blocks, because
// the sums are read and written with each.
const gradWFloats = 1 << 21

// patchJob writes patches: a piece is patchRows of them.
type patchJob struct {
	c        Conv
	x, dst   []float32
	from, to int
	ep       Epilogue
	dw       Matrix
}

var patchJobs freeList[patchJob]

const patchRows = 64

func (j *patchJob) fill(dst []float32, from, to int) {
	j.dst, j.from, j.to = dst, from, to
	Run((to-from+patchRows-1)/patchRows, j)
}

// Do writes a piece.
func (j *patchJob) Do(piece int) {
	at := piece * patchRows
	j.c.patches(j.dst[at*j.c.depth():], j.x, j.from+at, min(j.from+at+patchRows, j.to))
}
