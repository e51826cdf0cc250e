package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

type countJob struct{ done []atomic.Int32 }

func (c *countJob) Do(i int) { c.done[i].Add(1) }

func TestRunDoesEachPieceOnce(t *testing.T) {
	for _, n := range []int{0, 1, 2, 3, 7, 64, 1009} {
		j := &countJob{done: make([]atomic.Int32, n)}
		Run(n, j)
		for i := range j.done {
			if got := j.done[i].Load(); got != 1 {
				t.Fatalf("n=%d: piece %d ran %d times", n, i, got)
			}
		}
	}
}

type nestedJob struct{ inner []*countJob }

func (n *nestedJob) Do(i int) { Run(len(n.inner[i].done), n.inner[i]) }

// Many goroutines, each with pieces that call Run themselves, on more and on fewer processors
// than there are callers.
func TestRunNestedAndConcurrent(t *testing.T) {
	for _, procs := range []int{1, 2, 5} {
		old := runtime.GOMAXPROCS(procs)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 200 {
					j := &nestedJob{}
					for k := range 5 {
						j.inner = append(j.inner, &countJob{done: make([]atomic.Int32, k*3)})
					}
					Run(len(j.inner), j)
					for _, in := range j.inner {
						for i := range in.done {
							if got := in.done[i].Load(); got != 1 {
								t.Errorf("inner piece %d ran %d times", i, got)
							}
						}
					}
				}
			})
		}
		wg.Wait()
		runtime.GOMAXPROCS(old)
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	j := &countJob{done: make([]atomic.Int32, 100)}
	if got := testing.AllocsPerRun(100, func() { Run(len(j.done), j) }); got != 0 {
		t.Errorf("Run allocates %v objects a call", got)
	}
}

// Nobody is inside together with another, on more and on fewer processors than there are goroutines.
func TestSpinLock(t *testing.T) {
	for _, procs := range []int{1, 2, 5} {
		old := runtime.GOMAXPROCS(procs)
		var l spinLock
		var wg sync.WaitGroup
		count := 0
		for range 8 {
			wg.Go(func() {
				for i := range 2000 {
					l.Lock()
					count++
					if i%100 == 0 {
						runtime.Gosched()
					}
					l.Unlock()
				}
			})
		}
		wg.Wait()
		if count != 8*2000 {
			t.Errorf("%d processors: counted to %d, want %d", procs, count, 8*2000)
		}
		runtime.GOMAXPROCS(old)
	}
}

func TestChooseISA(t *testing.T) {
	for _, c := range []struct {
		name string
		best ISA
		want ISA
		bad  bool
	}{
		{"", AVX512, AVX512, false},
		{"generic", AVX512, Generic, false},
		{"avx2", AVX2, AVX2, false},
		{"amx", AVX2, AVX2, true},
		{"sse", AVX512, AVX512, true},
	} {
		got, err := chooseISA(c.name, c.best)
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("chooseISA(%q, %v) = %v, %v", c.name, c.best, got, err)
		}
	}
}

func BenchmarkRun(b *testing.B) {
	j := &countJob{done: make([]atomic.Int32, 2)}
	for b.Loop() {
		Run(2, j)
	}
}

// busyJob takes two microseconds a piece.
type busyJob struct{}

func (busyJob) Do(int) {
	for start := time.Now(); time.Since(start) < 2*time.Microsecond; {
	}
}

// On two cores: what is above 2000 ns is the cost of sharing work and of waiting for each other.
func BenchmarkRunBusy(b *testing.B) {
	for b.Loop() {
		Run(2, busyJob{})
	}
}
