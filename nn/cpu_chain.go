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
	if x.Rows > chainRows && c.whole(first, x.Rows) && c.whole(second, x.Rows) {
		k := c.calls.get()
		defer c.calls.put(k)
		b, lent, err := c.right(first)
		if err != nil {
			return err
		}
		kernel.GemmRounded(&m.rounded, matrix(x), b, k.set(Tensor{}, first.ep))
		c.giveBack(b, lent)
		if b, lent, err = c.right(second); err != nil {
			return err
		}
		kernel.MulRounded(k.result(y), &m.rounded, b, k.set(y, second.ep))
		c.giveBack(b, lent)
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

// whole tells whether a product of so many rows has its right operand in one packed form: a weight that is kept in it or can be, or
// one that is packed for this product, unless piece by piece is better.
func (c *CPU) whole(l link, rows int) bool {
	if c.keeps(l.b) {
		return l.b.Weight.Data != nil || c.has(l.b, l.transB)
	}
	return kernel.PacksWhole(rows, matrix(l.b.Tensor), kernel.BF16)
}

// right is such an operand, and whether it is lent, to be given back.
func (c *CPU) right(l link) (p *kernel.Packed, lent bool, err error) {
	if c.keeps(l.b) {
		kept, err := c.packed(l.b, l.transB, 0)
		if err != nil {
			return nil, false, err
		}
		return kept[0], false, nil
	}
	m := matrix(l.b.Tensor)
	if l.transB {
		m = m.T()
	}
	p = c.once.get()
	p.Pack(m, kernel.BF16)
	return p, true, nil
}

func (c *CPU) giveBack(p *kernel.Packed, lent bool) {
	if lent {
		c.once.put(p)
	}
}
