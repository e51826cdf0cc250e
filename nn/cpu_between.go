package nn

import "github.com/clipcap-go/clipcap/internal/kernel"

// keepsBetween: in bfloat16 the left operand of a product is rounded and brought into order anyway.
func (c *CPU) keepsBetween(f Form, rows, cols int) bool {
	return c.format() == kernel.BF16 && (f == Rounded && rows > chainRows || f == Ordered && kernel.WorthRounding(cols))
}

func (c *CPU) makesRounded() bool { return true }

// multipliesRounded: what products multiply is in an order of its own.
func (c *CPU) multipliesRounded() bool { return false }

func (c *CPU) convolvesBetween(a ConvArgs) bool { return conv(a).Winograd() }

// attendsBetween: what one product made for attention alone, which widens it head by head.
func (c *CPU) attendsBetween(_, sources int) (taken, made, gradient forms) {
	return Rounded.only(sources == 1), 0, 0
}

func (c *CPU) sizeBetween(f Form, rows, cols int) int {
	if f == Rounded {
		return (rows*cols + 1) / 2
	}
	return kernel.RoundedSize(rows, cols)
}

// roundedRows is what lies at t, Rounded.
func roundedRows(t Tensor) kernel.RoundedMatrix {
	return kernel.RoundedIn(t.Buf.(*hostBuffer).f[t.Off:], t.Rows, t.Cols, t.Stride)
}

// lay makes r what lies at t, Ordered.
func lay(r *kernel.Rounded, t Tensor) {
	r.Lay(t.Buf.(*hostBuffer).f[t.Off:], t.Rows, t.Cols)
}

// pixels are the pixels of t for the kernels, with r for those that are Ordered.
func (k *call) pixels(r *kernel.Rounded, t Tensor) kernel.Pixels {
	if t.Form != Ordered {
		return kernel.Pixels{Floats: vector(t)}
	}
	lay(r, t)
	return kernel.Pixels{Rounded: r}
}

// gemmBetween is Gemm of a left operand or to a result that is Ordered.
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
	e := k.set(y, ep)
	switch {
	case y.Form != Ordered:
		lay(&k.from, a)
		kernel.MulRounded(k.result(y), &k.from, w, e)
	case a.Form != Ordered:
		lay(&k.to, y)
		kernel.GemmRounded(&k.to, matrix(a), w, e)
	default:
		lay(&k.from, a)
		lay(&k.to, y)
		kernel.GemmBetween(&k.to, &k.from, w, e)
	}
	return nil
}
