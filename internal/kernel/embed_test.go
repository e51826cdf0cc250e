package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestGatherScatter(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(1, 1))
		for _, s := range normShapes {
			const table = 11
			rows, cols := s[0], s[1]
			src, _ := guardedMatrix(r, table, cols)
			dst, check := guardedMatrix(r, rows, cols)
			idx := make([]int32, rows)
			for i := range idx {
				idx[i] = int32(r.IntN(table+1)) - 1
			}
			Gather(dst, src, idx, false)
			check(t, "Gather")
			for i, from := range idx {
				want := make([]float32, cols)
				if from >= 0 {
					copy(want, src.row(int(from)))
				}
				if !slices.Equal(dst.row(i), want) {
					t.Fatalf("%dx%d: row %d is not row %d", rows, cols, i, from)
				}
			}
			Gather(dst, src, idx, true)
			check(t, "Gather add")
			for i, from := range idx {
				for j, v := range dst.row(i) {
					if from >= 0 && v != 2*src.row(int(from))[j] || from < 0 && v != 0 {
						t.Fatalf("%dx%d: row %d added wrongly", rows, cols, i)
					}
				}
			}
			testScatter(t, r, dst, idx, table)
		}
	})
}

func testScatter(t *testing.T, r *rand.Rand, src Matrix, idx []int32, table int) {
	t.Helper()
	start, _ := guardedMatrix(r, table, src.Cols)
	want := slices.Clone(start.V)
	for i, to := range idx {
		for j, v := range src.row(i) {
			if to >= 0 {
				want[int(to)*start.Stride+j] += v
			}
		}
	}
	onWorkers(func() {
		got := start
		got.V = slices.Clone(start.V)
		ScatterAdd(got, src, idx)
		if !slices.Equal(got.V, want) {
			t.Fatalf("%dx%d: ScatterAdd differs from the loop", len(idx), src.Cols)
		}
	})
}

func BenchmarkGatherScatter(b *testing.B) {
	const rows, cols, table = 1200, 768, 50257
	src, dst := Mat(make([]float32, table*cols), table, cols), Mat(make([]float32, rows*cols), rows, cols)
	r := rand.New(rand.NewPCG(6, 6))
	idx := make([]int32, rows)
	for i := range idx {
		idx[i] = int32(r.IntN(table))
	}
	b.Run("gather", func(b *testing.B) {
		b.SetBytes(8 * rows * cols)
		for b.Loop() {
			Gather(dst, src, idx, false)
		}
	})
	b.Run("scatter", func(b *testing.B) {
		b.SetBytes(12 * rows * cols)
		for b.Loop() {
			ScatterAdd(src, dst, idx)
		}
	})
}
