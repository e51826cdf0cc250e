package nn

import (
	"fmt"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Conv describes a square convolution or pooling of images that lie channels last, one after the
// other, as rows of pixels [images·H·W, channels].
type Conv struct {
	H, W        int // of the input
	Kernel      int
	Stride, Pad int
}

// OutSize is the height and width of the result.
func (c Conv) OutSize() (h, w int) { return c.args(1, 1, 1).OutSize() }

func (c Conv) args(images, channels, out int) ConvArgs {
	return ConvArgs{Images: images, H: c.H, W: c.W, C: channels, Kernel: c.Kernel, Stride: c.Stride, Pad: c.Pad, Out: out}
}

// images is how many images lie in the rows of x; it panics on what cannot be convolved.
func (c Conv) images(op string, x *G.Node) int {
	rows, _ := mustMatrix(op, x)
	h, w := 0, 0
	if c.H > 0 && c.W > 0 && c.Kernel > 0 && c.Stride > 0 && c.Pad >= 0 && c.H+2*c.Pad >= c.Kernel && c.W+2*c.Pad >= c.Kernel {
		h, w = c.OutSize()
	}
	if h < 1 || w < 1 || rows%(c.H*c.W) != 0 {
		panic(fmt.Sprintf("nn: %s: %+v on %v", op, c, x.Shape()))
	}
	return rows / (c.H * c.W)
}

// pixels is a result of c's output pixels, live with the images of input i.
func (c Conv) pixels(i, images, channels int) result {
	h, w := c.OutSize()
	return result{shape: tensor.Shape{images * h * w, channels}, rows: i, mul: h * w, div: c.H * c.W}
}

// Conv2D is the convolution of x [images·H·W, channels] with weight [out, Kernel·Kernel·channels] (a kernel's
// pixels row by row, channels last) plus bias [out], then act, as [images·OH·OW, out]. Bias may be nil.
func Conv2D(x, weight, bias *G.Node, c Conv, act Activation) *G.Node {
	images := c.images("Conv2D", x)
	channels := x.Shape()[1]
	out, _ := mustMatrix("Conv2D", weight)
	mustShape("Conv2D", "weight", weight, out, c.Kernel*c.Kernel*channels)
	in := G.Nodes{x, weight}
	if bias != nil {
		mustShape("Conv2D", "bias", bias, out)
		in = append(in, bias)
	}
	res := c.pixels(0, images, out)
	o := &Op{name: "Conv2D", results: []result{res}, attr: c}
	o.paired = func(be betweener, s *step, at int) forms {
		if at == pairedResult && act != NoActivation && act != ReLUAct {
			return 0 // Winograd rounds no others
		}
		return Ordered.only(s.onlyFirst() && s.in[1].param != nil && be.convolvesBetween(c.args(images, channels, out)) && at < 1)
	}
	if act != NoActivation {
		o.results = append(o.results, res)
	}
	ep := new(Epilogue) // of the run in progress
	o.run = func(be Backend, in, out []*Value) error {
		*ep = Epilogue{Act: act}
		if len(in) > 2 {
			ep.Bias = in[2].vec()
		}
		if len(out) > 1 {
			ep.Pre = out[1].mat()
		}
		a := c.args(in[0].mem.Rows/(c.H*c.W), channels, in[1].mem.Rows)
		return be.Conv2D(out[0].mat(), in[0].mat(), in[1].operand(), a, ep)
	}
	o.grad = func(o *Op, in G.Nodes, y, dy *G.Node) (G.Nodes, error) {
		dz := dy
		if act != NoActivation {
			dz = activateGrad(dy, tap(y, 1), act)
		}
		all := []result{like(1, x.Shape()...), full(weight.Shape()...)}
		ds := grads("Conv2DGrad", o.need[:2], all, func(be Backend, in, grad []*Value) error {
			a := c.args(in[1].mem.Rows/(c.H*c.W), channels, out)
			return be.Conv2DGrad(grad[0].mat(), grad[1].mat(), in[0].mat(), in[1].mat(), in[2].operand(), a)
		}, dz, in[0], in[1])
		if len(in) > 2 {
			ds = append(ds, nil)
			if o.need[2] {
				ds[2] = colSum(dz)
			}
		}
		return ds, nil
	}
	return apply(o, in...)
}

// AvgPool is the mean over squares of Kernel·Kernel pixels that lie side by side (Stride = Kernel).
func AvgPool(x *G.Node, c Conv) *G.Node {
	images := c.images("AvgPool", x)
	if c.Pad != 0 || c.Stride != c.Kernel {
		panic(fmt.Sprintf("nn: AvgPool: %+v: want squares side by side (stride = kernel, no padding)", c))
	}
	channels := x.Shape()[1]
	return apply(&Op{name: "AvgPool", results: []result{c.pixels(0, images, channels)},
		paired: func(betweener, *step, int) forms { return Ordered.only(c.Kernel == 2) },
		run: func(be Backend, in, out []*Value) error {
			return be.AvgPool(out[0].mat(), in[0].mat(), c.args(in[0].mem.Rows/(c.H*c.W), channels, channels))
		},
		grad: func(_ *Op, in G.Nodes, _, dy *G.Node) (G.Nodes, error) {
			return G.Nodes{apply(&Op{name: "AvgPoolGrad", results: []result{like(1, x.Shape()...)},
				run: func(be Backend, in, out []*Value) error {
					return be.AvgPoolGrad(out[0].mat(), in[0].mat(), c.args(in[1].mem.Rows/(c.H*c.W), channels, channels))
				}}, dy, in[0])}, nil
		}}, x)
}
