package data

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// finitePiece is how many numbers are looked at in one piece.
const finitePiece = 1 << 18

// checkFinite refuses features with an infinity or a NaN in one of the rows that are used: found here, they cost seconds; found by a run
// that meets them, hours. With normalize it refuses features of length 0 as well, which cannot be normalised. The error names the first such
// row by its file.
func (f *Features) checkFinite(used []bool, normalize bool) error {
	if len(f.shards) == 0 {
		return nil
	}
	var bad, next atomic.Int64
	var mu sync.Mutex
	var failed error
	var first int
	found := func(row int, err error) {
		bad.Add(1)
		mu.Lock()
		defer mu.Unlock()
		if failed == nil || row < first {
			first, failed = row, err
		}
	}
	rows := max(1, finitePiece/max(1, f.Dim))
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			var buffer []float32
			for {
				from := int(next.Add(int64(rows))) - rows
				if from >= f.rows {
					return
				}
				for at := from; at < min(from+rows, f.rows); {
					s, i := f.shard(at)
					n := min(from+rows-at, s.tensor.Shape[0]-i)
					x, err := s.floats(i, n, f.Dim, &buffer)
					if err != nil {
						found(at, fmt.Errorf("%s: row %d: %w", s.path, i, err))
						return
					}
					for k := range n {
						if !used[at+k] {
							continue
						}
						row, err := x[k*f.Dim:][:f.Dim], error(nil)
						if !allFinite(row) {
							err = fmt.Errorf("%w, want finite numbers", finite(row))
						} else if normalize && !slices.ContainsFunc(row, func(v float32) bool { return v != 0 }) {
							err = errZeros
						}
						if err != nil {
							found(at+k, fmt.Errorf("%s: row %d (image id %s): %w", s.path, i+k, f.ID(at+k), err))
						}
					}
					at += n
				}
			}
		})
	}
	wg.Wait()
	if n := bad.Load(); n > 1 {
		return fmt.Errorf("features %w (%d such rows in all)", failed, n)
	} else if n == 1 {
		return fmt.Errorf("features %w", failed)
	}
	return nil
}

// floats are n rows of a shard from row i on, in place where they can be had so; else buffer holds them.
func (s *shard) floats(i, n, dim int, buffer *[]float32) ([]float32, error) {
	if s.view != nil {
		return s.view[i*dim:][:n*dim], nil
	}
	if cap(*buffer) < n*dim {
		*buffer = make([]float32, n*dim)
	}
	x := (*buffer)[:n*dim]
	t, err := s.tensor.Rows(i, i+n)
	if err == nil {
		err = t.ReadFloat32(x)
	}
	return x, err
}

// allFinite tells whether no number of x is an infinity or a NaN: those have all bits of the exponent set. The largest exponent is taken
// without a branch a number.
func allFinite(x []float32) bool {
	const exponent = 0xff << 23
	var a, b, c, d uint32
	i := 0
	for ; i+4 <= len(x); i += 4 {
		y := x[i : i+4 : i+4]
		a = max(a, math.Float32bits(y[0])&exponent)
		b = max(b, math.Float32bits(y[1])&exponent)
		c = max(c, math.Float32bits(y[2])&exponent)
		d = max(d, math.Float32bits(y[3])&exponent)
	}
	for _, v := range x[i:] {
		a = max(a, math.Float32bits(v)&exponent)
	}
	return max(a, b, c, d) != exponent
}
