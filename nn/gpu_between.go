package nn

import "github.com/clipcap-go/clipcap/internal/gpu"

var _ betweener = (*GPU)(nil)

// halfRows is the most rows whose results are not rounded: a product of so few reads its weights as streams, or may.
const halfRows = 64

// keepsBetween is true in bfloat16, where the left operand of a product is rounded anyway and memory is what takes the time, for rows that
// begin on 16 bytes.
func (g *GPU) keepsBetween(f Form, rows, cols int) bool {
	return f == Rounded && g.mode == gpu.BFloat16 && rows > g.fewRows && cols%8 == 0
}

func (g *GPU) makesRounded() bool { return true }

func (g *GPU) multipliesRounded() bool { return true }

func (g *GPU) convolvesBetween(ConvArgs) bool { return false }

func (g *GPU) sizeBetween(_ Form, rows, cols int) int { return (rows*cols + 1) / 2 }

// attendsBetween is rounded rows where attention is computed on tensor cores.
func (g *GPU) attendsBetween(dim, _ int) (taken, made, gradient forms) {
	f := Rounded.only(gpu.AttendsInHalf(g.mode, dim))
	return f, f, f
}
