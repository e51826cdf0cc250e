package nn

import "github.com/clipcap-go/clipcap/internal/kernel"

// keepsBetween: in bfloat16 the left operand of a product is rounded and brought into order anyway.
func (c *CPU) keepsBetween(_, cols int) bool {
	return c.format() == kernel.BF16 && kernel.WorthRounding(cols)
}

// rounds: what products read is in an order of its own.
func (c *CPU) rounds() bool { return false }

func (c *CPU) convolvesBetween(a ConvArgs) bool { return conv(a).Winograd() }

func (c *CPU) attendsBetween(int) bool { return false }

func (c *CPU) sizeBetween(rows, cols int) int { return kernel.RoundedSize(rows, cols) }

// lay makes r what lies at t in the smaller form.
func lay(r *kernel.Rounded, t Tensor) {
	r.Lay(t.Buf.(*hostBuffer).f[t.Off:], t.Rows, t.Cols)
}

// pixels are the pixels of t for the kernels, with r for those in the smaller form.
func (k *call) pixels(r *kernel.Rounded, t Tensor) kernel.Pixels {
	if !t.Compact {
		return kernel.Pixels{Floats: vector(t)}
	}
	lay(r, t)
	return kernel.Pixels{Rounded: r}
}

// gemmBetween is Gemm of a left operand or to a result in the smaller form.
func (c *CPU) gemmBetween(k *call, y, a Tensor, b Operand, transB bool, ep *Epilogue) error {
	var w *kernel.Packed
	switch {
	case !c.keeps(b):
		w = c.once.get()
		defer c.once.put(w)
		m := matrix(b.Tensor)
		if transB {
			m = m.T()
		}
		w.Pack(m, kernel.BF16)
	case b.Weight.Data == nil && !c.has(b, transB):
		t, err := c.turned(b, transB)
		if err != nil {
			return err
		}
		defer c.once.put(t)
		w = t
	default:
		p, err := c.packed(b, transB, 0)
		if err != nil {
			return err
		}
		w = p[0]
	}
	e := k.set(ep)
	switch {
	case !y.Compact:
		lay(&k.from, a)
		kernel.MulRounded(matrix(y), &k.from, w, e)
	case !a.Compact:
		lay(&k.to, y)
		kernel.GemmRounded(&k.to, matrix(a), w, e)
	default:
		lay(&k.from, a)
		lay(&k.to, y)
		kernel.GemmBetween(&k.to, &k.from, w, e)
	}
	return nil
}
