//go:build amd64 && !noasm

package kernel

// acrossGroups is how many groups of a transposed operand are rounded before their words are turned: some kilobytes of a row of memory are
// read at once, and what is rounded stays in the cache.
const acrossGroups = 24

// packPairsArch packs n panels from panel q on, columns j0 and further of b, rounding and ordering at once; it tells whether it did. Subnormals
// become zeros, which is what products take them for.
func (p *Packed) packPairsArch(b *Matrix, q, j0, n int) bool {
	if !dotBF16 || isa < AVX512 {
		return false
	}
	if b.Trans {
		for i := range n {
			p.packPairsAcross(b, q+i, j0+i*panelCols)
		}
		return true
	}
	// Group by group through all panels: what lies side by side in memory is read together.
	for k0 := 0; k0 < p.kp; k0 += groupDepth {
		for i := range n {
			p.packPairsAlong(b, q+i, j0+i*panelCols, k0)
		}
	}
	return true
}

// packPairsAlong packs a group of depth of a panel. The rows of the next one are fetched meanwhile: two lines of each, a row apart, are
// nothing the processor sees coming.
func (p *Packed) packPairsAlong(b *Matrix, q, j0, k0 int) {
	lie, dst := p.pairs(), p.plane(0, q)
	cols, have := min(panelCols, b.Cols-j0), min(groupDepth, p.k-k0)
	if cols < panelCols || have < groupDepth {
		clear(dst[lie.at(k0, 0):][:groupDepth*lie.row/2])
		if p.halves {
			clear(dst[lie.at(k0, panelCols/2):][:groupDepth*lie.row/2])
		}
	}
	if ahead := min(groupDepth, p.k-k0-groupDepth); ahead > 0 && cols == panelCols {
		fetchRows(&b.V[(k0+groupDepth)*b.Stride+j0], b.Stride, ahead)
	}
	part := panelCols // columns that lie together
	if p.halves {
		part /= 2
	}
	for j := 0; j < cols; j += part {
		n := min(part, cols-j)
		if have >= 2 {
			pairRows(&dst[lie.at(k0, j)], 2*lie.row, &b.V[k0*b.Stride+j0+j], 4*b.Stride, have/2, n, 1, 0)
		}
		if have%2 != 0 {
			var last [2 * panelCols]float32
			copy(last[:], b.V[(k0+have-1)*b.Stride+j0+j:][:n])
			pairRows(&dst[lie.at(k0+have-1, j)], 2*lie.row, &last[0], 4*panelCols, 1, n, 1, 0)
		}
	}
}

// packPairsAcross packs a panel of a transposed operand: its memory has the depth along rows. They are rounded, and the pairs, taken for
// words, transposed.
func (p *Packed) packPairsAcross(b *Matrix, q, j0 int) {
	const row = (acrossGroups + 1) * groupDepth // numbers from one row of memory to the next
	lie, dst := p.pairs(), p.plane(0, q)
	buf := scratch.get(panelCols * row / 2)
	words := asU16(buf)
	cols := min(panelCols, b.Cols-j0)
	if cols < panelCols {
		clear(words[cols*row : panelCols*row])
	}
	for k0 := 0; k0 < p.kp; k0 += acrossGroups * groupDepth {
		depth := min(acrossGroups*groupDepth, p.kp-k0)
		have := min(depth, p.k-k0)
		whole, rest := have/groupDepth, have%groupDepth
		for j := range cols {
			src := b.V[(j0+j)*b.Stride+k0:][:have]
			if whole > 0 {
				splitRow(&words[j*row], 2*groupDepth, &src[0], whole, 1, 0)
			}
			if rest > 0 {
				var tail [groupDepth]float32
				copy(tail[:], src[whole*groupDepth:])
				splitRow(&words[j*row+whole*groupDepth], 0, &tail[0], 1, 1, 0)
			}
		}
		for half := range 2 {
			transposeWords(&dst[lie.at(k0, half*panelCols/2)], 2*lie.row, groupDepth*lie.row, &words[half*panelCols/2*row], 2*row, depth/groupDepth, 16)
		}
	}
	scratch.put(buf)
}
