package kernel

// Gather sets row i of dst to row idx[i] of src, or adds it if add is true, for every i below
// len(idx). Where idx[i] is negative the row becomes zero, or stays what it was if add is true.
// dst is [len(idx), cols] and src [any, cols].
func Gather(dst, src Matrix, idx []int32, add bool) {
	t := tasks.get()
	t.y, t.x, t.ids, t.flag = dst, src, idx, add
	t.overRows(len(idx), dst.Cols, 1, func(t *task, lo, hi int) {
		for i := lo; i < hi; i++ {
			dst, from := t.y.row(i), int(t.ids[i])
			switch {
			case from >= 0 && t.flag:
				addRow(dst, dst, t.x.row(from))
			case from >= 0:
				copy(dst, t.x.row(from))
			case !t.flag:
				clear(dst)
			}
		}
	})
}

// scatterColumns is how many columns one piece of ScatterAdd has: whole cache lines, so that two
// goroutines never write to the same one.
const scatterColumns = 64

// ScatterAdd adds row i of src to row idx[i] of dst, for every i below len(idx) in rising order, so
// rows that meet in one place are added in a fixed order; a negative idx[i] is passed over. It is
// the gradient of Gather with respect to src. The work is split over columns.
func ScatterAdd(dst, src Matrix, idx []int32) {
	t := tasks.get()
	t.y, t.x, t.ids = dst, src, idx
	t.run, t.n, t.step = scatterAdd, dst.Cols, dst.Cols
	if len(idx)*dst.Cols >= 2*taskGrain {
		t.step = scatterColumns
	}
	if t.n > 0 {
		Run(t.pieces(), t)
	}
	tasks.put(t)
}

// scatterAdd is ScatterAdd for the columns lo..hi.
func scatterAdd(t *task, lo, hi int) {
	for i, to := range t.ids {
		if to >= 0 {
			dst := t.y.row(int(to))[lo:hi]
			addRow(dst, dst, t.x.row(i)[lo:hi])
		}
	}
}
