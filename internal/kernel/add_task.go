package kernel

import "sync"

// taskGrain is the least number of elements worth handing to another goroutine: some 5 µs of work
// that streams, so a kernel with fewer than two pieces runs where it was called.
const taskGrain = 1 << 15

// task is an elementwise or row kernel on its way through Run: run is applied to ranges of step
// elements (or rows) that cover 0..n. The other fields are the kernel's arguments under names of
// their own choosing; one struct for all of them keeps one free list.
type task struct {
	run     func(t *task, lo, hi int)
	n, step int

	y, x, z    Matrix
	rounded    RoundedMatrix
	a, b, c, d []float32
	wide       []float64 // partial results, kept from one use to the next
	part       []float32
	ids        []int32
	packed     *Packed
	s          [8]float32
	key, first uint64
	act        Activation
	flag       bool
	id         int32
}

// Do is Job's.
func (t *task) Do(piece int) {
	lo := piece * t.step
	t.run(t, lo, min(lo+t.step, t.n))
}

// pieces is how often Do must be called.
func (t *task) pieces() int { return (t.n + t.step - 1) / t.step }

// taskList is a free list. It is not a sync.Pool because that forgets at every garbage collection,
// and a steady state allocates nothing.
type taskList struct {
	mu   sync.Mutex
	free []*task
}

var tasks taskList

func (l *taskList) get() *task {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := len(l.free); n > 0 {
		t := l.free[n-1]
		l.free = l.free[:n-1]
		return t
	}
	return new(task)
}

// partial is room for n partial results that lives until t is put back; not nil. Its content is arbitrary.
func (t *task) partial(n int) []float32 {
	if t.part == nil || cap(t.part) < n {
		t.part = make([]float32, n)
	}
	t.part = t.part[:n]
	return t.part
}

// put takes t back, keeping only its buffers for partial results.
func (l *taskList) put(t *task) {
	*t = task{wide: t.wide[:0], part: t.part}
	l.mu.Lock()
	l.free = append(l.free, t)
	l.mu.Unlock()
}

// short tells that n elements are not worth a task.
func short(n int) bool { return n <= taskGrain }

// overElements applies run to 0..n elements and gives t back.
func (t *task) overElements(n int, run func(t *task, lo, hi int)) {
	t.run, t.n, t.step = run, n, taskGrain
	Run(t.pieces(), t)
	tasks.put(t)
}

// overRows applies run to 0..rows rows of cols elements and gives t back. cost is the work of an
// element in units of a streamed addition. A piece of several rows is an even number of them: some kernels take
// two at a time.
func (t *task) overRows(rows, cols, cost int, run func(t *task, lo, hi int)) {
	t.run, t.n, t.step = run, rows, max(1, taskGrain/max(1, cols*cost))
	if t.step > 1 {
		t.step += t.step & 1
	}
	Run(t.pieces(), t)
	tasks.put(t)
}

// row is row i of a matrix that is not transposed.
func (m *Matrix) row(i int) []float32 {
	at := i * m.Stride
	return m.V[at : at+m.Cols : at+m.Cols]
}

// slab is the rows lo..hi of a matrix that is not transposed.
func (m *Matrix) slab(lo, hi int) Matrix {
	return Matrix{V: m.V[lo*m.Stride:], Rows: hi - lo, Cols: m.Cols, Stride: m.Stride}
}
