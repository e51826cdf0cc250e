package gpu

// Mode says how a product is computed. All accumulate in float32.
type Mode int

// The modes. What reads few rows from the left, as decoding does, is computed in float32 in every mode, in BFloat16 from a weight in
// bfloat16 where there is one (Matrix.Half).
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
	args := []any{c.Ptr, c.Stride, a.Ptr, a.Stride, b.Ptr, b.Stride, m, n, k}
	if m <= few && !transA {
		name := "gemm_few_n"
		if transB {
			name = "gemm_few_t"
		}
		if mode == BFloat16 && b.Half != 0 {
			name += "_bf16"
			args[4] = b.Half
		}
		d.run(name, line(up(n, 32)), line(256), 0, append(args, e.args()...)...)
		return
	}
	wide := 0
	if a.wide() {
		wide |= 1
	}
	half := mode == BFloat16 && b.Half != 0 && !transA
	if half && b.halfWide() || !half && b.wide() {
		wide |= 2
	}
	if half {
		args[4] = b.Half
	}
	name, tile, threads, shared := tiles("gemm_"+mode.String(), mode, (mode == BFloat16 || mode == TF32) && !(transA && transB) && large(m, n))
	name += "_" + letter(transA) + letter(transB)
	if half {
		name += "_bf16"
	}
	d.run(name, line(up(m, tile)*up(n, tile)), line(threads), shared, append(append(args, wide|order(m, n)), e.args()...)...)
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
func large(m, n int) bool { return up(m, 128)*up(n, 128) >= largeTiles }

// tiles is a kernel's name for small or large tiles, their size, the threads of a block and its shared memory.
func tiles(name string, mode Mode, large bool) (string, int, int, int) {
	switch {
	case mode == BFloat16 && large:
		return name + "_large", 128, 256, 2 * 2 * 128 * 32 * 2
	case mode == BFloat16:
		return name, 64, 128, 2 * 2 * 64 * 32 * 2
	case large:
		return name + "_large", 128, 256, 3 * 2 * 4608 * 4
	}
	return name, 64, 128, 2 * 2 * 2304 * 4
}

func letter(trans bool) string {
	if trans {
		return "t"
	}
	return "n"
}
