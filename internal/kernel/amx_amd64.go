//go:build amd64 && !noasm

package kernel

// tileStrip is one call of tileRow: up to 32 rows of sums, of as many panels of the right operand. Strides
// and steps between planes are bytes.
type tileStrip struct {
	config         *[64]byte // the tiles' shapes for this number of rows
	a, b           *uint16   // [steps][32][32] and, half a panel, [16*steps][16][2] bfloat16
	aPlane, bPlane int
	bHalf, bNext   int // from half a panel to its other half, and from that to the next panel
	steps          int // groups of 32 in depth
	panels         int
	c              *float32
	ldc            int
	next           uintptr // of the left operand, what the next call will read
	kind           int     // planes, plus fewTileRows for at most 16 rows
	more           int     // not 0 if c holds the sums so far
}

const fewTileRows = 4

// tileRow computes c[r][j] (+)= Σ a[r][k]·b[k][j] on AMX tiles. With two or three planes, a step of 32 in
// depth adds (1,0) (0,0) (0,1), or (2,0) (1,0) (1,1) (0,1) (0,0) (0,2), the planes of a and b. A product of
// tiles sums its even and its odd elements of depth in two chains, adds these, and adds the result to c,
// subnormals taken as zero. The lines of c and what next points to are fetched ahead.
//
//go:noescape
func tileRow(s *tileStrip)

// tileConfigs are the shapes of the tiles, palette 1, for a number of rows of the sums: see amx_amd64.s.
var tileConfigs = func() (all [tilePanel + 1][64]byte) {
	for rows := range all {
		c := &all[rows]
		c[0] = 1
		shape := func(rows int, tiles ...int) {
			for _, t := range tiles {
				if rows > 0 {
					c[16+2*t], c[48+t] = 64, byte(rows)
				}
			}
		}
		shape(min(rows, 16), 0, 1, 3)
		shape(16, 2)
	}
	return all
}()
