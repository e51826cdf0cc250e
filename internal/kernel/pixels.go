package kernel

// Pixels are the pixels of images, end to end: the rows of a matrix of numbers, or in Rounded of one that is kept rounded.
type Pixels struct {
	Floats  []float32
	Rounded *Rounded
}

// floats are the pixels as numbers where they lie as such.
func (p *Pixels) floats() ([]float32, bool) {
	switch r := p.Rounded; {
	case r == nil:
		return p.Floats, true
	case r.plain:
		return r.mem[:r.rows*r.cols], true
	}
	return nil, false
}

// AvgPool2 is AvgPool over squares of two by two pixels, of images that may be rounded.
func AvgPool2(y, x Pixels, n, h, w, c int) {
	if n*(h/2)*(w/2)*c == 0 {
		return
	}
	from, ok := x.floats()
	to, also := y.floats()
	switch {
	case ok && also:
		AvgPool(to, from, n, h, w, c, 2)
		return
	case also:
		wide := scratch.get(n * h * w * c)
		AvgPool(to, x.Rounded.widen(wide), n, h, w, c, 2)
		scratch.put(wide)
		return
	case ok:
		wide := scratch.get(n * (h / 2) * (w / 2) * c)
		AvgPool(wide, from, n, h, w, c, 2)
		y.Rounded.round(wide)
		scratch.put(wide)
		return
	}
	j := roundedPoolJobs.get()
	j.y, j.x, j.h, j.w, j.c = y.Rounded, x.Rounded, h, w, c
	rows := n * (h / 2)
	j.step = max(1, poolGrain/(2*w*c))
	j.rows = rows
	Run((rows+j.step-1)/j.step, j)
	*j = roundedPoolJob{}
	roundedPoolJobs.put(j)
}

// roundedPoolJob is AvgPool2 on its way through Run: a row is one of y's images.
type roundedPoolJob struct {
	y, x       *Rounded
	h, w, c    int
	rows, step int
}

var roundedPoolJobs freeList[roundedPoolJob]

// Do does some rows.
func (j *roundedPoolJob) Do(piece int) {
	for row := piece * j.step; row < min((piece+1)*j.step, j.rows); row++ {
		j.row(row)
	}
}
