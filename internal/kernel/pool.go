package kernel

import (
	"runtime"
	"sync/atomic"
)

// Job is work cut into pieces that may run in any order, each on any goroutine. What a piece
// computes must not depend on which goroutine runs it or on how many there are.
type Job interface{ Do(piece int) }

// Run calls j.Do(0) … j.Do(n-1), spread over GOMAXPROCS goroutines, and returns when all are done.
// The caller works too, so a call from inside a piece, or from many goroutines at once, always
// makes progress. It allocates nothing once its workers are running.
func Run(n int, j Job) {
	workers := runtime.GOMAXPROCS(0) - 1
	if n <= 1 || workers == 0 {
		for i := range n {
			j.Do(i)
		}
		return
	}
	pool.run(n, j, min(n-1, workers))
}

// spins is how often a worker without work looks for some before it sleeps: about 20 µs, longer
// than the gap between two kernels of a graph, shorter than anything a user would notice.
const spins = 1000

// waits is how often one looks who is done with his pieces of a batch before the others are: about 200 µs. What is left of the others'
// pieces rarely takes longer, and the next batch comes right behind. Waking a worker that has gone to sleep takes 50 to 150 µs, in
// which others do its pieces, so that it is done early again.
const waits = 10 * spins

var pool = workers{}

// workers are the goroutines that help callers of Run.
type workers struct {
	open    atomic.Int32 // batches on the list that still have unclaimed pieces
	inside  atomic.Int32 // calls of Run under way
	mu      spinLock
	batches []*batch
	spare   []*batch
	started int
	asleep  int
	wake    chan struct{}
}

// batch is one call of Run.
type batch struct {
	job     Job
	n       int64
	next    atomic.Int64 // the next unclaimed piece
	helpers atomic.Int32 // workers inside, guarded by workers.mu on the way in
	want    int          // helpers still wanted, guarded by workers.mu
	idle    chan struct{}
}

func (b *batch) work() {
	for {
		i := b.next.Add(1) - 1
		if i >= b.n {
			return
		}
		b.job.Do(int(i))
	}
}

func (w *workers) run(n int, j Job, helpers int) {
	w.inside.Add(1)
	defer w.inside.Add(-1)
	w.mu.Lock()
	b := w.take()
	b.job, b.n, b.want = j, int64(n), helpers
	b.next.Store(0)
	w.batches = append(w.batches, b)
	w.open.Add(1)
	for w.started < helpers {
		w.started++
		if w.wake == nil {
			w.wake = make(chan struct{}, 1<<16)
		}
		go w.help()
	}
	for range min(helpers, w.asleep) {
		w.asleep--
		w.wake <- struct{}{}
	}
	w.mu.Unlock()

	b.work()

	w.mu.Lock()
	w.remove(b)
	w.mu.Unlock()
	// No worker can join any more; wait for those inside, awake at first because pieces are short.
	for i := 0; b.helpers.Load() > 0; i++ {
		if i < waits {
			pause()
		} else {
			<-b.idle // may be the word of an earlier helper, so look again
		}
	}
	w.mu.Lock()
	b.job = nil
	select {
	case <-b.idle: // a helper that left while we were still spinning
	default:
	}
	w.spare = append(w.spare, b)
	w.mu.Unlock()
}

// take returns a batch nobody uses.
func (w *workers) take() *batch {
	if n := len(w.spare); n > 0 {
		b := w.spare[n-1]
		w.spare = w.spare[:n-1]
		return b
	}
	return &batch{idle: make(chan struct{}, 1)}
}

// remove takes b off the list; safe to call twice.
func (w *workers) remove(b *batch) {
	for i, x := range w.batches {
		if x == b {
			w.batches = append(w.batches[:i], w.batches[i+1:]...)
			w.open.Add(-1)
			return
		}
	}
}

// join enters a batch that wants help, or returns nil.
func (w *workers) join() *batch {
	for _, b := range w.batches {
		if b.want > 0 && b.next.Load() < b.n {
			b.want--
			b.helpers.Add(1)
			return b
		}
	}
	return nil
}

// look returns when there may be work, or has not been for a while: not counting, up to waits, when there is a batch under way.
func (w *workers) look() {
	for i, j := 0, 0; w.open.Load() == 0 && i < spins; i++ {
		if w.inside.Load() > 0 && j < waits {
			i, j = -1, j+1
		}
		pause()
	}
}

// help is a worker's life.
func (w *workers) help() {
	for {
		w.look()
		w.mu.Lock()
		b := w.join()
		if b == nil {
			w.asleep++
			w.mu.Unlock()
			<-w.wake
			continue
		}
		w.mu.Unlock()
		b.work()
		w.mu.Lock()
		w.remove(b)
		last := b.helpers.Add(-1) == 0
		if last {
			select {
			case b.idle <- struct{}{}:
			default:
			}
		}
		w.mu.Unlock()
	}
}
