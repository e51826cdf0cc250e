package nn

import "github.com/clipcap-go/clipcap/internal/kernel"

// between is what passes from one product of a chain to the next.
type between struct {
	rounded kernel.Rounded
	plain   hostBuffer
}

// chainRows is the most rows for which two products are faster than a chain: they read their weights as streams.
const chainRows = 64

// chains: in bfloat16 a left operand is rounded and brought into order before it is multiplied, which the product that makes it
// can do, for half the memory.
func (c *CPU) chains() bool { return c.format() == kernel.BF16 }

func (c *CPU) gemmChain(y, x Tensor, first, second link) error {
	if y.Rows == 0 || y.Cols == 0 {
		return nil
	}
	m := c.links.get()
	defer c.links.put(m)
	if x.Rows > chainRows && c.ready(first) && c.ready(second) {
		k := c.calls.get()
		kernel.GemmRounded(&m.rounded, matrix(x), c.packed(first.b, first.transB, 0)[0], k.set(first.ep))
		kernel.MulRounded(matrix(y), &m.rounded, c.packed(second.b, second.transB, 0)[0], k.set(second.ep))
		c.calls.put(k)
		return nil
	}
	cols := second.b.Rows
	if second.transB {
		cols = second.b.Cols
	}
	if n := x.Rows * cols; len(m.plain.f) < n {
		m.plain.f = kernel.Aligned(n)
	}
	t := Tensor{Buf: &m.plain, Rows: x.Rows, Cols: cols, Stride: cols}
	if err := c.Gemm(t, x, false, first.b, first.transB, first.ep); err != nil {
		return err
	}
	return c.Gemm(y, t, false, second.b, second.transB, second.ep)
}

// ready tells whether a product's right operand is a weight in packed form, or can be packed once for all products.
func (c *CPU) ready(l link) bool {
	return c.keeps(l.b) && (l.b.Weight.Data != nil || c.has(l.b, l.transB))
}
