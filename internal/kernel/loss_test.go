package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Softmax and its gradient assembled from chunks of the vocabulary.
func TestCrossEntropyChunks(t *testing.T) {
	inf := float32(math.Inf(1))
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		const rows, vocab = 13, 1009
		x, _ := guardedMatrix(r, rows, vocab)
		for i := range rows {
			for j := range vocab {
				x.row(i)[j] *= 6
			}
		}
		for j := range 400 { // the first chunks of row 3 hold nothing finite
			x.row(3)[j] = -inf
		}
		runMax, runSum, corr := newGuarded(rows, 0), newGuarded(rows, 1), newGuarded(rows, 2)
		targets, scale, lse := make([]int32, rows), make([]float32, rows), make([]float32, rows)
		for i := range rows {
			runMax.v[i], runSum.v[i] = -inf, 0
			targets[i], scale[i] = int32(r.IntN(vocab)), r.Float32()
		}
		targets[5], scale[6] = -1, 0
		chunks := []int{0, 1, 128, 333, 700, vocab}
		for c := range len(chunks) - 1 {
			first, end := chunks[c], chunks[c+1]
			part := Matrix{V: x.V[first:], Rows: rows, Cols: end - first, Stride: x.Stride}
			p, check := guardedMatrix(r, rows, part.Cols)
			before := slices.Clone(runMax.v)
			SoftmaxChunk(p, part, runMax.v, runSum.v, corr.v)
			check(t, "SoftmaxChunk")
			for i := range rows {
				m := runMax.v[i]
				if want := slices.Max(x.row(i)[:end]); m != want {
					t.Fatalf("runMax[%d] = %v, want %v", i, m, want)
				}
				wantCorr := 1.0
				if m != before[i] {
					wantCorr = math.Exp(float64(before[i]) - float64(m))
				}
				near(t, "corr", corr.v[i], wantCorr, 1e-6)
				for j, v := range part.row(i) {
					want := math.Exp(float64(v) - float64(m))
					if v == -inf {
						want = 0
					}
					near(t, "p", p.row(i)[j], want, 1e-6)
				}
			}
		}
		corr.check(t, "corr")
		runMax.check(t, "runMax")
		runSum.check(t, "runSum")
		for i := range rows {
			_, want := softmax64(x.row(i))
			lse[i] = runMax.v[i] + float32(math.Log(float64(runSum.v[i])))
			near(t, "lse", lse[i], want, 1e-6)
		}
		for c := range len(chunks) - 1 {
			first, end := chunks[c], chunks[c+1]
			part := Matrix{V: x.V[first:], Rows: rows, Cols: end - first, Stride: x.Stride}
			d, check := guardedMatrix(r, rows, part.Cols)
			CrossEntropyChunkGrad(d, part, lse, targets, int32(first), scale)
			check(t, "CrossEntropyChunkGrad")
			for i := range rows {
				for j, v := range part.row(i) {
					want := math.Exp(float64(v) - float64(lse[i]))
					if int(targets[i]) == first+j {
						want--
					}
					near(t, "d", d.row(i)[j], want*float64(scale[i]), 4e-6)
				}
			}
		}
	})
}

// What SoftmaxChunk may leave out, and what it must not hide.
func TestSoftmaxChunkEdges(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	eachISA(t, func(t *testing.T) {
		x := Mat([]float32{-inf, -inf, nan, -inf, 1, nan, 2, 3}, 4, 2)
		p := Mat(make([]float32, 8), 4, 2)
		runMax, runSum := []float32{-inf, -inf, -inf, -inf}, make([]float32, 4)
		SoftmaxChunk(Matrix{}, x, slices.Clone(runMax), slices.Clone(runSum), nil)
		SoftmaxChunk(p, x, runMax, runSum, nil)
		if runSum[0] != 0 || p.V[0] != 0 || p.V[1] != 0 || runMax[0] != -inf {
			t.Errorf("row of -Inf: p %v, sum %v", p.row(0), runSum[0])
		}
		if runSum[1] == runSum[1] || runSum[2] == runSum[2] {
			t.Errorf("a NaN passed unseen: sums %v", runSum)
		}
		near(t, "sum", runSum[3], 1+math.Exp(-1), 1e-6)
		SoftmaxChunk(x, x, []float32{-inf, -inf, -inf, -inf}, runSum, nil)
		if x.V[7] != 1 {
			t.Errorf("in place: %v", x.V)
		}
	})
}

func BenchmarkCrossEntropyChunk(b *testing.B) {
	const rows, cols = 480, 2048
	x, y := Mat(make([]float32, rows*cols), rows, cols), Mat(make([]float32, rows*cols), rows, cols)
	r := rand.New(rand.NewPCG(6, 6))
	for i := range x.V {
		x.V[i] = normal(r)
	}
	a, s, ids := make([]float32, rows), make([]float32, rows), make([]int32, rows)
	b.Run("softmax", func(b *testing.B) {
		b.SetBytes(8 * rows * cols)
		for b.Loop() {
			SoftmaxChunk(y, x, a, s, nil)
		}
	})
	for i := range s {
		s[i], a[i] = 1, 8
	}
	b.Run("gradient", func(b *testing.B) {
		b.SetBytes(8 * rows * cols)
		for b.Loop() {
			CrossEntropyChunkGrad(y, x, a, ids, 0, s)
		}
	})
}
