package kernel

// ColSum sets dst [cols] to the sums of a's columns, or with accumulate adds them to it. The rows are
// added in a fixed tree of chunks, so the result does not depend on the number of workers.
func ColSum(dst []float32, a Matrix, accumulate bool) {
	j := colSums.get()
	j.dst, j.a, j.accumulate = dst, a, accumulate
	Run((a.Cols+colSumCols-1)/colSumCols, j)
	*j = colSumJob{}
	colSums.put(j)
}

const (
	colSumCols = 256 // columns of a piece
	colSumRows = 64  // rows that are added one after the other
)

// colSumJob sums columns: piece i is colSumCols columns.
type colSumJob struct {
	dst        []float32
	a          Matrix
	accumulate bool
}

var colSums freeList[colSumJob]

// Do sums the columns of a piece.
func (j *colSumJob) Do(piece int) {
	var total, part [colSumCols]float32
	j0 := piece * colSumCols
	n := min(colSumCols, j.a.Cols-j0)
	for i0 := 0; i0 < j.a.Rows; i0 += colSumRows {
		clear(part[:])
		for i := i0; i < min(i0+colSumRows, j.a.Rows); i++ {
			if j.a.Trans {
				for q := range n {
					part[q] += j.a.at(i, j0+q)
				}
				continue
			}
			addRows(part[:n], part[:n], j.a.segment(i, j0, j0+n))
		}
		addRows(total[:n], total[:n], part[:n])
	}
	dst := j.dst[j0 : j0+n]
	if j.accumulate {
		addRows(dst, dst, total[:n])
		return
	}
	copy(dst, total[:n])
}
