//go:build amd64 && !noasm

package kernel

import (
	"runtime"
	"unsafe"
)

// A core multiplies tiles at some 3 TFLOP/s and reads its second-level cache (2 MiB on the processors that
// have tiles) at some 150 GB/s, but what it shares with others at 30, so everything here is about
// what lies in that cache: the right operand of a strip, if it is shallow enough, else the sums of a block.
const (
	tilePanel  = 32        // rows of a left panel
	tileDepth  = 12        // most planes·groups of a pass: 24 KiB of a left panel and 12 of half a right one stay in a cache of 48
	tileStripe = 16        // most panels of a strip
	tileRight  = 1 << 20   // most bytes of a strip of the right operand
	tileSums   = 768 << 10 // most bytes of a block's sums
	tileApart  = 16        // numbers between the rows of sums
	tileLeast  = 256       // steps (32·32·32) a block is worth having
)

// planTiles cuts the product for AMX.
func (p *productBF16) planTiles() {
	groups, planes, procs := p.left.kp/groupDepth, p.left.planes, runtime.GOMAXPROCS(0)
	passes := (groups + tileDepth/planes - 1) / (tileDepth / planes)
	p.depth = (groups + passes - 1) / passes
	// The whole depth of a strip stays in the cache if the strip is then wide enough to pay for
	// reading the left operand again for each strip.
	panelBytes := planes * groups * groupDepth * panelCols * 2
	p.strip, p.chunk = min(tileStripe, tileRight/panelBytes), groups
	most := p.left.panels
	if p.strip < 8/min(planes, 2) && p.left.panels > 1 {
		p.strip, p.chunk = tileStripe, p.depth
		most = tileSums / (4 * tilePanel * panelCols * p.strip)
	}
	p.strip = max(1, p.strip)
	// A few blocks for every processor: first shorter ones, then narrower ones.
	blocks := 4 * procs
	if procs == 1 {
		blocks = 1
	}
	strips := (p.b.panels + p.strip - 1) / p.strip
	p.mb = max((p.left.panels+most-1)/most, min(blocks/strips, p.left.panels/8))
	rows := (p.left.panels + p.mb - 1) / p.mb
	least := max(1, tileLeast/(rows*groups))
	p.nb = max(1, min(max(strips, blocks/p.mb), p.b.panels/least))
}

// stripTiles computes left panels i0 to i1 times right panels j0 to j1.
func (p *productBF16) stripTiles(i0, i1, j0, j1 int) {
	if p.aside {
		p.tiles(i0, i1, j0, j1, true)
		return
	}
	// A tile writes all its columns and, if there are more than 16, all 32 rows, so the last may not go to c.
	across, down := max(j0, min(j1, p.c.Cols/panelCols)), i1
	if rest := p.c.Rows - (i1-1)*tilePanel; rest > 16 && rest < tilePanel {
		down--
	}
	p.tiles(i0, down, j0, across, false)
	p.tiles(down, i1, j0, across, true)
	p.tiles(i0, i1, across, j1, true)
}

// tiles is stripTiles with the sums in a buffer or in c. A left panel's rows of c are finished when their
// sums are complete, in the cache still.
func (p *productBF16) tiles(i0, i1, j0, j1 int, buffer bool) {
	if i0 >= i1 || j0 >= j1 {
		return
	}
	b, groups, cols := p.b, p.left.kp/groupDepth, j0*panelCols
	var sums []float32
	if buffer {
		rows := tilePanel
		if p.chunk < groups {
			rows *= i1 - i0
		}
		sums = scratch.get(rows * ((j1-j0)*panelCols + tileApart))
	}
	s := tileStrip{
		aPlane: 2 * p.left.planeLen, bPlane: 2 * b.step * b.kp * panelCols,
		bHalf: b.kp * panelCols, bNext: b.kp * panelCols, panels: j1 - j0,
	}
	for g0 := 0; g0 < groups; g0 += p.chunk {
		for i := i0; i < i1; i++ {
			first := i * tilePanel
			last := min(first+tilePanel, p.c.Rows)
			sum, stride := sums, (j1-j0)*panelCols+tileApart
			switch {
			case !buffer:
				sum, stride = p.c.V[first*p.c.Stride+cols:], p.c.Stride
			case p.chunk < groups:
				sum = sums[(i-i0)*tilePanel*stride:]
			}
			s.config, s.kind = &tileConfigs[last-first], p.left.planes
			if last-first <= 16 {
				s.kind += fewTileRows
			}
			s.c, s.ldc = &sum[0], 4*stride
			end := min(g0+p.chunk, groups)
			for g := g0; g < end; g += p.depth {
				s.steps, s.more = min(p.depth, end-g), g
				s.a, s.b = p.left.at(i, g), &b.plane(0, j0)[g*groupDepth*panelCols/2]
				s.next = uintptr(unsafe.Pointer(s.a)) + uintptr(s.steps*2*tilePanel*groupDepth)
				tileRow(&s)
			}
			if end == groups {
				p.end.rows(sum, stride, &p.c, first, last, cols, min(j1*panelCols, p.c.Cols))
			}
		}
	}
	if buffer {
		scratch.put(sums)
	}
}
