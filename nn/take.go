package nn

import (
	"fmt"
	"runtime/debug"

	"github.com/clipcap-go/clipcap/internal/kernel"
)

// Holder keeps parameters for itself, in a form of its own.
type Holder interface {
	// Take packs p [rows, cols] as the right operand of products, transposed or not, and lets go of the numbers on
	// the host: p.Data is nil after it. From then on machines of this backend alone can use p, in these ways:
	//   - products, and somewhat slower those with its transpose, which gradients are;
	//   - if transposed, as a table: rows are gathered from it, and it can be the head of a loss, of which all gradients
	//     but the head's own can be computed, in int8 none.
	//
	// An operation that reads the numbers in another way ends its run with an error.
	Take(p *Param, transposed bool)
	// TakeConv does the same with the weight of a convolution, [out, Kernel·Kernel·channels], which then serves Conv2D on
	// images of that size.
	TakeConv(p *Param, c Conv)
	// TakePool does the same with the key or the value of AttentionPool, [heads·dim, width], which then serves that alone.
	TakePool(p *Param, heads int, value bool)
	// Exact tells whether what is taken keeps float32's numbers, so that a table that is gathered from can be taken too and nothing that is
	// computed changes.
	Exact() bool
}

var _ Holder = (*CPU)(nil)

// Take is Holder's. It must not run beside machines that use p.
func (c *CPU) Take(p *Param, transposed bool) {
	if p.Data == nil {
		return
	}
	at := Tensor{Buf: &hostBuffer{f: p.Data}, Rows: p.Shape[0], Cols: p.Shape[1], Stride: p.Shape[1]}
	parts, _ := c.packed(Operand{Tensor: at, Weight: p}, transposed, 0) // no error: its numbers are here
	p.Data, p.host = nil, hostBuffer{}
	c.mu.Lock()
	delete(c.packs, packKey{param: p, trans: !transposed})
	c.mu.Unlock()
	if transposed {
		p.host.taken = parts[0]
	}
}

// Exact is Holder's.
func (c *CPU) Exact() bool { return c.format().Exact() }

// WeightSize is how many bytes a weight takes in the form that products use.
func (c *CPU) WeightSize() int { return c.format().Size() }

// TakeConv is Holder's. It must not run beside machines that use p.
func (c *CPU) TakeConv(p *Param, conv2d Conv) {
	if p.Data == nil {
		return
	}
	out, cols := p.Shape[0], p.Shape[1]
	d := conv(conv2d.args(1, cols/(conv2d.Kernel*conv2d.Kernel), out))
	if !d.Winograd() {
		c.Take(p, true)
		return
	}
	at := Tensor{Buf: &hostBuffer{f: p.Data}, Rows: out, Cols: cols, Stride: cols}
	_, _ = c.winograd(Operand{Tensor: at, Weight: p}, d)
	p.Data, p.host = nil, hostBuffer{}
}

// TakePool is Holder's. It must not run beside machines that use p.
func (c *CPU) TakePool(p *Param, heads int, value bool) {
	if p.Data == nil {
		return
	}
	at := Tensor{Buf: &hostBuffer{f: p.Data}, Rows: p.Shape[0], Cols: p.Shape[1], Stride: p.Shape[1]}
	_, _ = c.packed(Operand{Tensor: at, Weight: p}, value, p.Shape[0]/heads)
	p.Data, p.host = nil, hostBuffer{}
}

// Rows copies rows of a parameter [n, cols] from first on into dst, whole rows, wherever the numbers are; those that were
// taken come as the format holds them.
func (p *Param) Rows(dst []float32, first int) error {
	cols := p.Shape[1]
	n := len(dst) / cols
	if first < 0 || first+n > p.Shape[0] {
		return fmt.Errorf("rows %d to %d of %s %v", first, first+n, p.Name, p.Shape)
	}
	switch {
	case p.Data != nil:
		copy(dst[:n*cols], p.Data[first*cols:])
	case p.host.rows != nil:
		return p.host.rows(dst[:n*cols], first)
	case p.host.taken != nil:
		for i := range n {
			p.host.taken.Column(dst[i*cols:][:cols], first+i)
		}
	default:
		return fmt.Errorf("%s %v was taken for products and has no rows to read", p.Name, p.Shape)
	}
	return nil
}

// Taking says how a parameter's numbers are handed over.
type Taking struct {
	// Whole is for when the parameter's Data holds all of them.
	Whole func()
	// Part hands rows over, from first on, one part after the other, each but the last a multiple of PartRows; the rows are the
	// caller's again after it. It is nil where numbers must come whole.
	Part func(first int, rows []float32)
}

// PartRows is what the rows of a part are a multiple of.
const PartRows = kernel.PartCols

// TakenBy tells for each parameter how to hand it to a backend, and nil for those that stay; operands says whether it is
// transposed. It is nil itself where there is no backend to take them.
func TakenBy(to Holder, operands map[*Param]bool) func(p *Param) *Taking {
	if to == nil {
		return nil
	}
	return func(p *Param) *Taking {
		transposed, ok := operands[p]
		if !ok {
			return nil
		}
		t := &Taking{Whole: func() { to.Take(p, transposed) }}
		if c, ok := to.(*CPU); ok && transposed {
			t.Part = func(first int, rows []float32) { c.takePart(p, first, rows) }
		}
		return t
	}
}

// TakeNow hands parameters to a backend one after the other, as TakenBy says, and does nothing where it says nothing.
func TakeNow(to Holder, operands map[*Param]bool) func(p *Param) {
	taken, waiting := TakenBy(to, operands), 0
	return func(p *Param) {
		if taken == nil || taken(p) == nil {
			return
		}
		taken(p).Whole()
		if waiting += p.size(); waiting > takenPiece {
			waiting = 0
			debug.FreeOSMemory()
		}
	}
}

// takenPiece is how many numbers on the host may wait for the garbage collector.
const takenPiece = 8 << 20

// takePart is Take of a transposed parameter that is nowhere whole.
func (c *CPU) takePart(p *Param, first int, rows []float32) {
	n, cols := p.Shape[0], p.Shape[1]
	if first == 0 {
		c.mu.Lock()
		c.packs[packKey{param: p, trans: true}] = &pack{version: p.Version(), parts: []*kernel.Packed{new(kernel.Packed)}}
		delete(c.packs, packKey{param: p})
		c.mu.Unlock()
		p.Data, p.host = nil, hostBuffer{}
	}
	packed := c.packs[packKey{param: p, trans: true}].parts[0]
	packed.PackPart(kernel.Mat(rows, len(rows)/cols, cols).T(), first, n, c.format())
	if first+len(rows)/cols == n {
		p.host.taken = packed
	}
}
