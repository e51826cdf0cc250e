package kernel

import (
	"io"
	"math/rand/v2"
	"runtime"
	"runtime/pprof"
	"slices"
	"sync"
	"testing"
	"time"
)

// Products must come out bit for bit the same when the runtime interrupts them: the garbage collector stops the
// world and moves stacks, goroutines are preempted, and a timer's signals (the profiler's) land inside the assembly.
// AMX is the delicate one, whose tiles the kernel must save and restore around a signal.
func TestGemmUnderPreemption(t *testing.T) {
	const goroutines, m, k, n = 6, 35, 96, 70
	length := 300 * time.Millisecond
	if testing.Short() {
		length = 50 * time.Millisecond
	}
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		t.Logf("without a profiler's signals: %v", err)
	} else {
		defer pprof.StopCPUProfile()
	}
	eachISA(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(7, uint64(isa)))
		a, b := fenced(rng, m, k, false), fenced(rng, k, n, false)
		want := make([][]float32, len(allFormats))
		weights := make([]Packed, len(allFormats))
		for i, f := range allFormats {
			weights[i].Pack(b, f)
			c := Mat(make([]float32, m*n), m, n)
			Gemm(c, a, &weights[i], nil)
			want[i] = c.V
		}
		stop := make(chan struct{})
		var disturbers, workers sync.WaitGroup
		disturbers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					runtime.GC()
				}
			}
		})
		disturbers.Go(func() {
			tick := time.NewTicker(50 * time.Microsecond)
			defer tick.Stop()
			var keep [][]byte
			for {
				select {
				case <-stop:
					return
				case <-tick.C:
					keep = append(keep[:len(keep)&15], make([]byte, 1<<16))
				}
			}
		})
		var rounds [goroutines]int
		end := time.Now().Add(length)
		for g := range goroutines {
			workers.Go(func() {
				c := Mat(make([]float32, m*n), m, n)
				for at := g; rounds[g] == 0 || time.Now().Before(end); at++ {
					i := at % len(allFormats)
					clear(c.V)
					onFreshStack(64, func() { Gemm(c, a, &weights[i], nil) })
					if !slices.Equal(c.V, want[i]) {
						t.Errorf("%v: the product differs from the undisturbed one", allFormats[i])
						return
					}
					rounds[g]++
				}
			})
		}
		workers.Wait()
		close(stop)
		disturbers.Wait()
		t.Log("products of each goroutine:", rounds)
	})
}

// onFreshStack calls f with more stack in use, so that stacks grow, and are moved, while others compute.
func onFreshStack(depth int, f func()) {
	var pad [128]byte
	if depth > 0 {
		pad[depth] = 1
		onFreshStack(depth-1, f)
		runtime.KeepAlive(&pad)
		return
	}
	f()
}
