package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// guardedRounded is a RoundedMatrix whose rows lie apart, with everything between them and behind them known.
func guardedRounded(rows, cols int) (m RoundedMatrix, check func(t *testing.T, what string)) {
	const guard = 0xabcd
	m = RoundedMatrix{Rows: rows, Cols: cols, Stride: cols + 5}
	m.V = slices.Repeat([]uint16{guard}, rows*m.Stride+7)
	return m, func(t *testing.T, what string) {
		t.Helper()
		for i, v := range m.V {
			if (i >= rows*m.Stride || i%m.Stride >= cols) && v != guard {
				t.Fatalf("%s wrote beside the matrix, at %d", what, i)
			}
		}
	}
}

func TestRoundedMatrix(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 3))
		for _, size := range [][2]int{{0, 3}, {1, 1}, {3, 17}, {37, 64}, {129, 1021}} {
			x, _ := guardedMatrix(r, size[0], size[1])
			m, check := guardedRounded(size[0], size[1])
			m.Round(x)
			check(t, "Round")
			y, free := guardedMatrix(r, size[0], size[1])
			m.Widen(y)
			free(t, "Widen")
			for i := range size[0] {
				for j, v := range x.row(i) {
					if y.row(i)[j] != roundBF16(v) {
						t.Fatalf("%v: (%d, %d) is %g, was %g", size, i, j, y.row(i)[j], v)
					}
				}
			}
			z, free := guardedMatrix(r, size[0], size[1])
			ActRounded(z, m, GELUTanh)
			free(t, "ActRounded")
			for i := range size[0] {
				Act(y.row(i), y.row(i), GELUTanh)
				if !slices.Equal(y.row(i), z.row(i)) {
					t.Fatalf("%v: activation of row %d is %v, want %v", size, i, z.row(i), y.row(i))
				}
			}
		}
	})
}
