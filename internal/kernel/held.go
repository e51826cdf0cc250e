package kernel

// HeldBytes is the memory that kernels hold on to for the next calls: operands in the order in which they are read.
func HeldBytes() int {
	n := 0
	scratch.mu.Lock()
	for _, list := range scratch.free {
		for _, v := range list {
			n += 4 * cap(v)
		}
	}
	scratch.mu.Unlock()
	loans.mu.Lock()
	for _, p := range loans.free {
		n += 4 * (cap(p.mem) + cap(p.scale))
	}
	loans.mu.Unlock()
	return n
}

// Release leaves what HeldBytes counts to the garbage collector.
func Release() {
	scratch.mu.Lock()
	scratch.free, scratch.slab = [len(scratch.free)][][]float32{}, nil
	scratch.mu.Unlock()
	loans.mu.Lock()
	loans.free = nil
	loans.mu.Unlock()
}

// GemmBytes is the memory that a product c [m, n] of depth k needs beside its operands and its result: for the left operand in the
// order in which it is read, and for the right one unless that is packed already, which a product of which GemmBoth cuts the
// right operand needs only for a piece. Kernels keep left operands by the power of two that holds them, which is what left is.
func GemmBytes(m, k, n int, p Precision) (left, right int) {
	f := FormatFor(p)
	switch {
	case f.planes() > 0 && (dotBF16 || isa == AMX):
		left = 2 * f.planes() * m * k
	case m <= mostRows(f):
		left = 4 * max(1, f.leftPlanes()) * m * k
	default:
		left = 4 * mostRows(f) * min(k, blockDepth)
	}
	if left > 0 {
		left = 4 << scratchClass(left/4)
	}
	if m <= pieceRows {
		n = min(n, pieceCols(k, f))
	}
	return left, f.Size() * k * n
}
