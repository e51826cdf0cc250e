package gpu

import "errors"

// Mode says how a product is computed. All accumulate in float32.
type Mode int

// The modes. What reads few rows from the left, as decoding does, is computed in float32 in every mode, in BFloat16 from a weight in
// bfloat16 where there is one (Matrix.Half). A weight that is there in one form only is read in that by few rows, and by many from bfloat16 in
// BFloat16 and from int8 with the left operand as it is, where scales are of the result's columns or the mode is Float32; else it is widened first.
const (
	Float32  Mode = iota // ordinary arithmetic
	TF32x3               // tensor cores, operands in two parts of 11 bits: nearly float32
	BFloat16             // tensor cores, operands rounded to bfloat16
	TF32                 // tensor cores, operands rounded to 11 bits
)

var modeNames = [...]string{"float32", "tf32x3", "bfloat16", "tf32"}

// String names the mode.
func (m Mode) String() string { return modeNames[m] }

// few is the most rows for which a product reads its right operand straight from memory.
const few = 8

// largeTiles is how many large tiles a product must have to use them: fewer would leave processors idle.
var largeTiles = 48

// Gemm is c = e(op(a)·op(b)); op transposes where asked. A residual may be c itself.
func (d *Device) Gemm(c, a Matrix, transA bool, b Matrix, transB bool, mode Mode, e Epilogue) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gemm(c, a, transA, b, transB, mode, e)
	return nil
}

func (d *Device) gemm(c, a Matrix, transA bool, b Matrix, transB bool, mode Mode, e Epilogue) {
	m, n, k := c.Rows, c.Cols, a.Cols
	if transA {
		k = a.Rows
	}
	if m == 0 || n == 0 {
		return
	}
	if d.viaBlas(c, a, transA, b, transB, k, mode, e) {
		return
	}
	if a.inHalf() && mode != BFloat16 || transA && transB {
		var err error
		if a, err = d.floats("left operand in float32", a); err != nil {
			d.failed = errors.Join(d.failed, err)
			return
		}
	}
	fewRows := m <= few && !transA && !a.inHalf()
	half := mode == BFloat16 && b.Half != 0 && !transA || transA && !transB && b.inHalf() && mode == BFloat16
	bytes := b.Int8 != 0 && b.ByRow == transB // a scale a column of the result
	if b.Int8 != 0 && !fewRows && !transA && (bytes || mode == Float32) {
		d.gemmInt8(c, a, b, transB, k, mode, e)
		return
	}
	if b.Ptr == 0 && !half && !(fewRows && (bytes || b.Half != 0)) {
		var err error
		if b, err = d.widened(b); err != nil {
			d.failed = errors.Join(d.failed, err)
			return
		}
	}
	if fewRows {
		d.gemmFew(c, a, b, transB, k, mode, e)
		return
	}
	args := []any{c.at(), c.Stride, a.at(), a.Stride, b.Ptr, b.Stride, m, n, k}
	both := half && a.inHalf() // are copied as they are
	wide := 0
	if both && a.copyWide() || !both && a.inHalf() && a.halfWide() || !a.inHalf() && a.wide() {
		wide |= 1
	}
	if both && b.copyWide() || !both && half && b.halfWide() || !half && b.wide() {
		wide |= 2
	}
	if half {
		args[4] = b.Half
	}
	name, tile, threads, shared := tiles("gemm_"+mode.String(), mode, mode != Float32 && !(transA && transB) && large(m, n))
	if shared > d.info.Shared { // TF32's large tiles on sm_86 and sm_89
		name, tile, threads, shared = tiles("gemm_"+mode.String(), mode, false)
	}
	name += "_" + letter(transA) + letter(transB)
	if half || a.inHalf() {
		name += "_bf16"
	}
	if a.inHalf() {
		name += "l"
		if half {
			name += "r"
			shared *= 2 // four tiles of either
		}
	}
	d.run(name, line(tile.count(m, n)), line(threads), shared, append(append(args, wide|order(m, n)), e.args(c)...)...)
}

// floats is a matrix in float32, in scratch memory of a name where it is not so.
func (d *Device) floats(name string, m Matrix) (Matrix, error) {
	if m.Ptr != 0 {
		return m, nil
	}
	return d.widenedTo(name, m)
}

// gemmFew reads the right operand in the form that has the fewest bytes: in bfloat16 where the mode takes that or there is no other.
func (d *Device) gemmFew(c, a, b Matrix, transB bool, k int, mode Mode, e Epilogue) {
	m, n := c.Rows, c.Cols
	name, at, wide := "gemm_few_n", b.Ptr, b.wide()
	columns, threads := 8, 256
	if transB {
		name, columns, threads = "gemm_few_t", 16, 128
	}
	switch {
	case b.Int8 != 0:
		name, at, wide = name+"_int8", b.Int8, b.Int8%8 == 0 && b.Stride%8 == 0
		columns = 32
	case b.Half != 0 && (mode == BFloat16 || b.Ptr == 0):
		name, at, wide = name+"_bf16", b.Half, b.Half%16 == 0 && b.Stride%8 == 0
		columns = 16
	}
	if transB {
		columns, wide = 16, wide && a.wide()
	}
	d.run(name, line(up(n, columns)), line(threads), 0,
		append([]any{c.at(), c.Stride, a.Ptr, a.Stride, at, b.Stride, m, n, k, wide, b.Scales}, e.args(c)...)...)
}

// gemmInt8 takes int8 to tensor cores as bfloat16, which holds it, and the left operand in three parts, whose sum is float32's numbers; in mode
// Float32, where there are no tensor cores, as float32 with its scale, be that a row's or a column's.
func (d *Device) gemmInt8(c, a, b Matrix, transB bool, k int, mode Mode, e Epilogue) {
	m, n := c.Rows, c.Cols
	wide := 0
	if a.wide() {
		wide |= 1
	}
	if b.Int8%4 == 0 && b.Stride%4 == 0 {
		wide |= 2
	}
	name, tile, threads, shared := tiles("gemm_int8", BFloat16, large(m, n))
	shared *= 2 // three tiles of the left operand and one of the right
	name += "_n" + letter(transB)
	if mode == Float32 {
		name, tile, threads, shared = tiles("gemm_float32_n"+letter(transB)+"_int8", Float32, false)
		if b.ByRow {
			wide |= 8
		}
	}
	d.run(name, line(tile.count(m, n)), line(threads), shared,
		append([]any{c.at(), c.Stride, a.Ptr, a.Stride, b.Int8, b.Stride, m, n, k, wide | order(m, n), b.Scales}, e.args(c)...)...)
}

// widened is a matrix in float32, in scratch memory.
func (d *Device) widened(b Matrix) (Matrix, error) { return d.widenedTo("weight", b) }

func (d *Device) widenedTo(name string, b Matrix) (Matrix, error) {
	stride := up(b.Cols, 4) * 4
	at, err := d.temporary(name, 4*max(1, b.Rows*stride))
	if err != nil {
		return b, err
	}
	n := b.size()
	if b.Int8 != 0 {
		d.overElements("widen_int8", n, at, stride, b.Int8, b.Stride, n, b.Cols, b.Scales, b.ByRow)
	} else {
		d.overElements("widen_bf16", n, at, stride, b.Half, b.Stride, n, b.Cols)
	}
	return Matrix{Ptr: at, Rows: b.Rows, Cols: b.Cols, Stride: stride}, nil
}

// order says which tiles neighbouring blocks have: those that read the same part of the larger operand, so that it is read from
// memory once.
func order(m, n int) int {
	if m < n {
		return 4 // below each other
	}
	return 0
}

// large tells whether a product has enough large tiles.
func large(m, n int) bool { return tile{128, 128}.count(m, n) >= largeTiles }

// tile is the part of a result that a block computes.
type tile struct{ rows, cols int }

// count is how many of them an m×n result has.
func (t tile) count(m, n int) int { return up(m, t.rows) * up(n, t.cols) }

// tiles is a kernel's name for small or large tiles, their size, the threads of a block and its shared memory.
func tiles(name string, mode Mode, large bool) (string, tile, int, int) {
	switch {
	case mode == BFloat16 && large:
		return name + "_large", tile{128, 128}, 256, 2 * 2 * 128 * 32 * 2
	case mode == BFloat16:
		return name, tile{64, 64}, 128, 2 * 2 * 64 * 32 * 2
	case mode == TF32x3 && large: // a warp takes 240 registers, so an SM has room for two such blocks, or for one of 128×128 that nobody works beside
		return name + "_large", tile{128, 64}, 128, 3 * (4608 + 2304) * 4
	case large:
		return name + "_large", tile{128, 128}, 256, 3 * 2 * 4608 * 4
	}
	return name, tile{64, 64}, 128, 2 * 2 * 2304 * 4
}

func letter(trans bool) string {
	if trans {
		return "t"
	}
	return "n"
}
