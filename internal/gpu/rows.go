package gpu

// LayerNorm normalises rows, also to bfloat16; mean and rstd are optional.
func (d *Device) LayerNorm(y, x, gain, bias Matrix, eps float32, mean, rstd Matrix) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if x.Rows > 0 {
		d.run("layer_norm", line(up(x.Rows, 8)), line(256), 0,
			y.at(), y.Stride, x.Ptr, x.Stride, gain.Ptr, bias.Ptr, eps, mean.Ptr, rstd.Ptr, x.Rows, x.Cols, y.inHalf())
	}
}

// parts cuts rows for sums over them: how many parts, and how many rows each.
func parts(rows int) (n, per int) {
	n = min(max(1, rows/64), 64)
	per = max(1, up(rows, n))
	return max(1, up(rows, per)), per
}

// LayerNormGrad gives dx, dgain and dbias where wanted; dy may be in bfloat16.
func (d *Device) LayerNormGrad(dx, dgain, dbias, dy, x, gain, mean, rstd Matrix) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	rows, cols := dy.Rows, dy.Cols
	if !dx.None() && rows > 0 {
		d.run("layer_norm_grad_x", line(up(rows, 8)), line(256), 0,
			dx.Ptr, dx.Stride, dy.at(), dy.Stride, x.Ptr, x.Stride, gain.Ptr, mean.Ptr, rstd.Ptr, rows, cols, dy.inHalf())
	}
	if dgain.None() && dbias.None() {
		return nil
	}
	n, per := parts(rows)
	tmp, err := d.temporary("layer norm", 8*n*cols)
	if err != nil {
		return err
	}
	g, b := dense(tmp, n, cols), dense(tmp+Ptr(4*n*cols), n, cols)
	d.run("layer_norm_grad_w", [3]int{up(cols, 32), n, 1}, line(256), 0,
		g.Ptr, b.Ptr, dy.at(), dy.Stride, x.Ptr, x.Stride, mean.Ptr, rstd.Ptr, rows, cols, per, dy.inHalf())
	if !dgain.None() {
		d.columns(dgain, g, n)
	}
	if !dbias.None() {
		d.columns(dbias, b, n)
	}
	return nil
}

// columns sums the columns of a in one launch for every per rows.
func (d *Device) columns(dst, a Matrix, per int) {
	d.run("col_sum", [3]int{up(a.Cols, 32), max(1, up(a.Rows, per)), 1}, line(256), 0, dst.Ptr, a.at(), a.Stride, a.Rows, a.Cols, per, a.inHalf())
}

// ColSum is dst[j] = Σ_i a[i, j]; a may be in bfloat16.
func (d *Device) ColSum(dst, a Matrix) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if a.Cols == 0 {
		return nil
	}
	n, per := parts(a.Rows)
	if n == 1 {
		d.columns(dst, a, per)
		return nil
	}
	tmp, err := d.temporary("column sums", 4*n*a.Cols)
	if err != nil {
		return err
	}
	part := dense(tmp, n, a.Cols)
	d.columns(part, a, per)
	d.columns(dst, part, n)
	return nil
}

// L2Normalize is y = x/‖x‖ a row; norm is optional.
func (d *Device) L2Normalize(y, x, norm Matrix) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if x.Rows > 0 {
		d.run("l2_normalize", line(up(x.Rows, 8)), line(256), 0, y.Ptr, y.Stride, x.Ptr, x.Stride, norm.Ptr, x.Rows, x.Cols)
	}
}

// L2NormalizeGrad is dx = (dy - y·(y·dy))/norm.
func (d *Device) L2NormalizeGrad(dx, dy, y, norm Matrix) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if y.Rows > 0 {
		d.run("l2_normalize_grad", line(up(y.Rows, 8)), line(256), 0, dx.Ptr, dx.Stride, dy.Ptr, dy.Stride, y.Ptr, y.Stride, norm.Ptr, y.Rows, y.Cols)
	}
}

// Gather is dst[i] (+)= src[idx[i]] for n indices; a negative one gives a zero row, or adds nothing. src may be
// in bfloat16, or in int8 with a scale a row.
func (d *Device) Gather(dst, src Matrix, idx Ptr, n int, add bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n == 0 || dst.Cols == 0 {
		return
	}
	name, args := "gather", []any{dst.Ptr, dst.Stride, src.Ptr, src.Stride}
	switch {
	case src.Int8 != 0:
		name, args = "gather_int8", []any{dst.Ptr, dst.Stride, src.Int8, src.Stride, src.Scales}
	case src.Ptr == 0:
		name, args = "gather_bf16", []any{dst.Ptr, dst.Stride, src.Half, src.Stride}
	}
	d.run(name, [3]int{n, up(dst.Cols, 256), 1}, line(256), 0, append(args, idx, n, dst.Cols, add)...)
}

// ScatterAdd is dst[idx[i]] += src[i] for n indices, summed in a fixed order; negative indices are skipped.
func (d *Device) ScatterAdd(dst, src Matrix, idx Ptr, n int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n == 0 || dst.Cols == 0 {
		return nil
	}
	room := up(n, 512) * 512 // scratch memory that grows ends what could be replayed
	keys, err := d.temporary("sorted rows", 8*room)
	if err != nil {
		return err
	}
	order := keys + Ptr(4*room)
	d.run("sort_rows", line(up(n, 256)), line(256), 0, keys, order, idx, n)
	d.run("scatter_add", [3]int{n, up(dst.Cols, 256), 1}, line(256), 0, dst.Ptr, dst.Stride, src.Ptr, src.Stride, keys, order, n, dst.Cols)
	return nil
}
