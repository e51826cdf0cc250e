// Package parallel shares the images of a run among goroutines.
package parallel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Do calls work from several goroutines at once, each time with a function that hands out the numbers below n in chunks until none
// is left (from equals to). Work keeps its scratch between chunks.
func Do(n int, work func(next func() (from, to int))) {
	const chunk = 64
	var taken atomic.Int64
	next := func() (int, int) {
		to := int(taken.Add(chunk))
		return min(to-chunk, n), min(to, n)
	}
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), (n+chunk-1)/chunk) {
		wg.Go(func() { work(next) })
	}
	wg.Wait()
}
