package kernel

// Column sets dst, k long, to column j of the operand, as its format holds it.
func (p *Packed) Column(dst []float32, j int) {
	panel, at := j/panelCols, j%panelCols
	dst = dst[:p.k]
	switch planes := p.format.planes(); {
	case p.format == Int8:
		scale := p.scale[j]
		for k, b := 0, p.bytes(panel)[at:]; k < p.k; k++ {
			dst[k] = scale * float32(b[k*panelCols])
		}
	case planes == 0:
		for k, b := 0, p.floats(panel)[at:]; k < p.k; k++ {
			dst[k] = b[k*panelCols]
		}
	default:
		clear(dst)
		for q := planes - 1; q >= 0; q-- { // the small ones first
			lie, b := p.pairs(), p.plane(q, panel)
			for k := range dst {
				dst[k] += f32OfBF16(b[lie.at(k, at)])
			}
		}
	}
}

// Columns is the operand's columns first to first+n, first a multiple of PartCols, without copying them: it is p's memory. It is nil
// where they do not begin with a panel or are not there.
func (p *Packed) Columns(first, n int) *Packed {
	if first%panelCols != 0 || first+n > p.n {
		return nil
	}
	from, to := first/panelCols, (first+n+panelCols-1)/panelCols
	v := &Packed{k: p.k, n: n, kp: p.kp, panels: to - from, step: p.step, format: p.format, halves: p.halves}
	if n == 0 || p.k == 0 {
		return v
	}
	planes := max(1, p.format.planes())
	size := len(p.mem) / (planes * p.step) // of a panel
	end := ((planes-1)*p.step + to) * size
	v.mem = p.mem[from*size : end : end]
	if p.scale != nil {
		v.scale = p.scale[from*panelCols : to*panelCols]
	}
	return v
}

// GatherColumns is Gather from the rows of a table that is at hand as the operand b, which holds its transpose.
func GatherColumns(dst Matrix, b *Packed, idx []int32, add bool) {
	t := tasks.get()
	t.y, t.packed, t.ids, t.flag = dst, b, idx, add
	t.overRows(len(idx), dst.Cols, 1, func(t *task, lo, hi int) {
		row := scratch.get(t.y.Cols)
		for i := lo; i < hi; i++ {
			dst, from := t.y.row(i), int(t.ids[i])
			switch {
			case from >= 0 && t.flag:
				t.packed.Column(row, from)
				addRow(dst, dst, row)
			case from >= 0:
				t.packed.Column(dst, from)
			case !t.flag:
				clear(dst)
			}
		}
		scratch.put(row)
	})
}
