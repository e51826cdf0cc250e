package extract

import (
	"context"
	"iter"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"github.com/clipcap-go/clipcap/clip/pillow"
	"github.com/clipcap-go/clipcap/data/annotation"
)

// FileItem is an image file of one's own choice, an item of no source.
func FileItem(id annotation.ID, path string) *Item {
	return &Item{ID: id, File: filepath.ToSlash(path), load: readFile(path)}
}

// collectAfter is the number of photos after which their garbage, files and squares, is collected; by itself the collector would wait for at
// least a hundredth of a large model, which is more. After eight times as many, memory that only earlier photos needed is given back to
// the system. Both take a thousandth of the photos' time.
const collectAfter = 8

// Images yields the squares of n items in their order, decoded on all cores some way ahead of their use, so that what is in memory
// of the images does not grow with n. The error of an item stands in its place. item may be called by several goroutines at once.
func (d *Decoder) Images(ctx context.Context, n int, item func(i int) (*Item, error)) iter.Seq2[*pillow.Image, error] {
	return func(yield func(*pillow.Image, error) bool) {
		type result struct {
			im  *pillow.Image
			err error
		}
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		ahead := make(chan chan result, 2*runtime.GOMAXPROCS(0))
		turns := make(chan struct{}, runtime.GOMAXPROCS(0))
		go func() {
			defer close(ahead)
			for i := range n {
				done := make(chan result, 1)
				select {
				case ahead <- done:
				case <-ctx.Done():
					return
				}
				turns <- struct{}{}
				go func() {
					defer func() { <-turns }()
					var r result
					it, err := item(i)
					if r.err = err; err == nil {
						r.im, r.err = d.load(ctx, it)
					}
					done <- r
				}()
			}
		}()
		i := 0
		for done := range ahead {
			r := <-done
			if !yield(r.im, r.err) {
				return
			}
			if i++; i%(8*collectAfter) == 0 {
				debug.FreeOSMemory()
			} else if i%collectAfter == 0 {
				runtime.GC()
			}
		}
	}
}
