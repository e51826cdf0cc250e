package kernel

// AvgPool is the mean over squares of k·k pixels that lie side by side, of n images x [n, h, w, c] with
// channels last, as y [n, h/k, w/k, c]. Pixels beyond the last whole square are left out.
func AvgPool(y, x []float32, n, h, w, c, k int) { avgPool(y, x, n, h, w, c, k, false) }

// AvgPoolGrad sets dx, the gradient of AvgPool's images, from dy [n, h/k, w/k, c]: a square shares
// its gradient evenly, and pixels in no square have none.
func AvgPoolGrad(dx, dy []float32, n, h, w, c, k int) { avgPool(dy, dx, n, h, w, c, k, true) }

func avgPool(y, x []float32, n, h, w, c, k int, grad bool) {
	if n*h*w*c == 0 || k <= 0 {
		return
	}
	j := poolJobs.get()
	*j = poolJob{y: y, x: x, h: h, w: w, c: c, k: k, rows: n * ((h + k - 1) / k), grad: grad}
	j.step = max(1, poolGrain/(k*w*c))
	Run((j.rows+j.step-1)/j.step, j)
	*j = poolJob{}
	poolJobs.put(j)
}

// poolGrain is how many pixels' channels make a piece: some 10 µs.
const poolGrain = 1 << 16

// poolJob is pooling on its way through Run. A row is k rows of an image, or the fewer at its bottom
// that make no square.
type poolJob struct {
	y, x       []float32
	h, w, c, k int
	rows, step int
	grad       bool
}

var poolJobs freeList[poolJob]

// Do does some rows.
func (j *poolJob) Do(piece int) {
	bands := (j.h + j.k - 1) / j.k
	oh, ow := j.h/j.k, j.w/j.k
	for row := piece * j.step; row < min((piece+1)*j.step, j.rows); row++ {
		image, band := row/bands, row%bands
		x := j.x[(image*j.h+band*j.k)*j.w*j.c:][:min(j.k, j.h-band*j.k)*j.w*j.c]
		if band >= oh {
			if j.grad {
				clear(x)
			}
			continue
		}
		y := j.y[(image*oh+band)*ow*j.c:][:ow*j.c]
		if j.grad {
			j.spread(x, y)
		} else {
			j.gather(y, x)
		}
	}
}

// gather averages k rows of an image.
func (j *poolJob) gather(y, x []float32) {
	share := 1 / float32(j.k*j.k)
	for o := range j.w / j.k {
		poolMean(y[o*j.c:(o+1)*j.c], x[o*j.k*j.c:], j.w*j.c, j.k, share)
	}
}

// spread is gather's transpose.
func (j *poolJob) spread(dx, dy []float32) {
	share := 1 / float32(j.k*j.k)
	for r := range j.k {
		row := dx[r*j.w*j.c : (r+1)*j.w*j.c]
		for o := range j.w / j.k {
			for range j.k {
				scaleRow(row[:j.c], dy[o*j.c:(o+1)*j.c], share)
				row = row[j.c:]
			}
		}
		clear(row)
	}
}

// poolMean is y = share · Σ x over k rows, stride apart, of k pixels of len(y) channels.
func poolMean(y, x []float32, stride, k int, share float32) {
	c := len(y)
	sum := x[:c]
	for r := range k {
		for p := range k {
			if r+p > 0 {
				addRows(y, sum, x[r*stride+p*c:][:c])
				sum = y
			}
		}
	}
	scaleRow(y, sum, share)
}
