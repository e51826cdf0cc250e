package clip

import (
	"math"

	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/nn"
)

// ResNet is CLIP's ResNet: a stem of three convolutions, strides done by average pooling, attention in place of the
// last pooling. Images lie channels last, as rows of pixels.
type ResNet struct {
	Conv1  *nn.Param   `weight:"conv1.weight"`
	Norm1  BatchNorm   `weight:"bn1"`
	Conv2  *nn.Param   `weight:"conv2.weight"`
	Norm2  BatchNorm   `weight:"bn2"`
	Conv3  *nn.Param   `weight:"conv3.weight"`
	Norm3  BatchNorm   `weight:"bn3"`
	Stage1 []*Residual `weight:"layer1"`
	Stage2 []*Residual `weight:"layer2"`
	Stage3 []*Residual `weight:"layer3"`
	Stage4 []*Residual `weight:"layer4"`
	Pool   AttnPool    `weight:"attnpool"`

	size int
	stem [3]folded
}

// BatchNorm is a batch normalisation with the statistics of its training.
type BatchNorm struct {
	Gain *nn.Param `weight:"weight"`
	Bias *nn.Param `weight:"bias"`
	Mean *nn.Param `weight:"running_mean"`
	Var  *nn.Param `weight:"running_var"`
}

func newBatchNorm(n int) BatchNorm {
	b := BatchNorm{Gain: nn.NewParam(n), Bias: nn.NewParam(n), Mean: nn.NewParam(n), Var: nn.NewParam(n)}
	for i := range n {
		b.Gain.Data[i], b.Var.Data[i] = 1, 1
	}
	return b
}

// Residual is a bottleneck block; Down is nil where the input is added as it is.
type Residual struct {
	Conv1 *nn.Param `weight:"conv1.weight"`
	Norm1 BatchNorm `weight:"bn1"`
	Conv2 *nn.Param `weight:"conv2.weight"`
	Norm2 BatchNorm `weight:"bn2"`
	Conv3 *nn.Param `weight:"conv3.weight"`
	Norm3 BatchNorm `weight:"bn3"`
	Down  *Down     `weight:"downsample"`

	stride                 int
	in, middle, out, short folded
}

// Down is the projection of a block's input where its size changes.
type Down struct {
	Conv *nn.Param `weight:"0.weight"`
	Norm BatchNorm `weight:"1"`
}

// AttnPool pools the last feature map by attention, with the mean of its rows as the query. The keys' bias is read and counts for
// nothing: it adds the same to all scores of a query, which the softmax does not see.
type AttnPool struct {
	Positions *nn.Param `weight:"positional_embedding"` // [1+grid², width]
	Query     nn.Linear `weight:"q_proj"`
	Key       nn.Linear `weight:"k_proj"`
	Value     nn.Linear `weight:"v_proj"`
	Out       nn.Linear `weight:"c_proj"`
	heads     int
}

// newResNet makes the tower with zero weights.
func newResNet(c Config) *ResNet {
	v := c.Vision
	w := v.Width
	conv := func(out, in, kernel int) *nn.Param { return nn.NewParam(out, in, kernel, kernel) }
	m := &ResNet{size: v.ImageSize,
		Conv1: conv(w/2, 3, 3), Norm1: newBatchNorm(w / 2),
		Conv2: conv(w/2, w/2, 3), Norm2: newBatchNorm(w / 2),
		Conv3: conv(w, w/2, 3), Norm3: newBatchNorm(w)}
	in := w
	for i, stage := range []*[]*Residual{&m.Stage1, &m.Stage2, &m.Stage3, &m.Stage4} {
		mid := w << i
		for j := range v.Stages[i] {
			b := &Residual{stride: 1,
				Conv1: conv(mid, in, 1), Norm1: newBatchNorm(mid),
				Conv2: conv(mid, mid, 3), Norm2: newBatchNorm(mid),
				Conv3: conv(4*mid, mid, 1), Norm3: newBatchNorm(4 * mid)}
			if i > 0 && j == 0 {
				b.stride = 2
			}
			if b.stride > 1 || in != 4*mid {
				b.Down = &Down{Conv: conv(4*mid, in, 1), Norm: newBatchNorm(4 * mid)}
			}
			*stage = append(*stage, b)
			in = 4 * mid
		}
	}
	grid, d := v.grid(), v.outWidth()
	m.Pool = AttnPool{Positions: nn.NewParam(grid*grid+1, d), Query: nn.NewLinear(d, d, true), Key: nn.NewLinear(d, d, true),
		Value: nn.NewLinear(d, d, true), Out: nn.NewLinear(d, c.Embed, true), heads: v.Heads}
	return m
}

// normEps is PyTorch's default for batch norms.
const normEps = 1e-5

// folded is a convolution with the norm behind it folded in: a kernel's pixels row by row, channels last.
type folded struct {
	weight, bias *nn.Param
	kernel       int
}

// fold multiplies the norm's scale into the weights [out, in, k, k] and moves its mean into a bias, in float64; the
// weights as they were are let go.
func fold(w *nn.Param, n *BatchNorm) folded {
	out, in, k := w.Shape[0], w.Shape[1], w.Shape[2]
	f := folded{kernel: k, weight: nn.NewParam(out, k*k*in), bias: nn.NewParam(out)}
	f.weight.Name, f.bias.Name = w.Name+".folded", w.Name+".bias"
	for o := range out {
		scale := float64(n.Gain.Data[o]) / math.Sqrt(float64(n.Var.Data[o])+normEps)
		f.bias.Data[o] = float32(float64(n.Bias.Data[o]) - float64(n.Mean.Data[o])*scale)
		src, dst := w.Data[o*in*k*k:][:in*k*k], f.weight.Data[o*in*k*k:][:in*k*k]
		for c := range in {
			for p := range k * k {
				dst[p*in+c] = float32(float64(src[c*k*k+p]) * scale)
			}
		}
	}
	w.Data = nil
	return f
}

// each calls f for every convolution: its weights, the norm behind it, where the two folded together go, and the size
// and stride of its pass.
func (m *ResNet) each(f func(w *nn.Param, n *BatchNorm, to *folded, size, stride int)) {
	f(m.Conv1, &m.Norm1, &m.stem[0], m.size, 2)
	size := m.size / 2
	f(m.Conv2, &m.Norm2, &m.stem[1], size, 1)
	f(m.Conv3, &m.Norm3, &m.stem[2], size, 1)
	size /= 2
	for _, stage := range [][]*Residual{m.Stage1, m.Stage2, m.Stage3, m.Stage4} {
		for _, b := range stage {
			f(b.Conv1, &b.Norm1, &b.in, size, 1)
			f(b.Conv2, &b.Norm2, &b.middle, size, 1)
			size /= b.stride
			f(b.Conv3, &b.Norm3, &b.out, size, 1)
			if b.Down != nil {
				f(b.Down.Conv, &b.Down.Norm, &b.short, size, 1)
			}
		}
	}
}

// ready folds the norms away, and gives a backend what comes of it, and the pooling's keys and values, at once, where there is
// one: the weights are not there twice.
func (m *ResNet) ready(to nn.Holder) {
	if p := &m.Pool; to != nil {
		to.TakePool(p.Key.Weight, p.heads, false)
		to.TakePool(p.Value.Weight, p.heads, true)
	}
	h := hander{to: to}
	m.each(func(w *nn.Param, n *BatchNorm, f *folded, size, stride int) {
		*f = fold(w, n)
		h.take(f, size, stride)
	})
}

// forward convolves x, whose images are size×size, and applies act.
func (f *folded) forward(x *G.Node, size, stride int, act nn.Activation) *G.Node {
	g := x.Graph()
	if f.kernel == 1 {
		l := nn.Linear{Weight: f.weight, Bias: f.bias, OutIn: true}
		y := l.Forward(x)
		if act != nn.NoActivation {
			y = nn.Activate(y, act)
		}
		return y
	}
	return nn.Conv2D(x, f.weight.Node(g), f.bias.Node(g), f.conv(size, stride), act)
}

// conv is the convolution of images that are size×size.
func (f *folded) conv(size, stride int) nn.Conv {
	return nn.Conv{H: size, W: size, Kernel: f.kernel, Stride: stride, Pad: f.kernel / 2}
}

// halve averages squares of two by two pixels.
func halve(x *G.Node, size int) *G.Node {
	return nn.AvgPool(x, nn.Conv{H: size, W: size, Kernel: 2, Stride: 2})
}

// Forward maps pixels [images·size², 3] to features [images, embed].
func (m *ResNet) Forward(pixels *G.Node) *G.Node {
	x := m.stem[0].forward(pixels, m.size, 2, nn.ReLUAct)
	size := m.size / 2
	x = m.stem[1].forward(x, size, 1, nn.ReLUAct)
	x = m.stem[2].forward(x, size, 1, nn.ReLUAct)
	x = halve(x, size)
	size /= 2
	for _, stage := range [][]*Residual{m.Stage1, m.Stage2, m.Stage3, m.Stage4} {
		for _, b := range stage {
			x, size = b.forward(x, size)
		}
	}
	return m.Pool.forward(x, size)
}

// forward maps x, whose images are size×size, to its output and the size of that.
func (b *Residual) forward(x *G.Node, size int) (*G.Node, int) {
	y := b.in.forward(x, size, 1, nn.ReLUAct)
	y = b.middle.forward(y, size, 1, nn.ReLUAct)
	if b.stride > 1 {
		y = halve(y, size)
	}
	short := x
	if b.Down != nil {
		if b.stride > 1 {
			short = halve(x, size)
		}
		short = b.short.forward(short, 0, 1, nn.NoActivation)
	}
	return nn.ReLU(nn.Add(short, b.out.forward(y, 0, 1, nn.NoActivation))), size / b.stride
}

// forward maps the last feature map x [images·size², width] to features.
func (p *AttnPool) forward(x *G.Node, size int) *G.Node {
	g := x.Graph()
	mean := nn.AvgPool(x, nn.Conv{H: size, W: size, Kernel: size, Stride: size})
	x, _ = nn.PrependGroups(x, size*size, mean, 1)
	x = nn.AddToGroups(x, p.Positions.Node(g))
	per := size*size + 1
	q := p.Query.Forward(nn.TakeRows(x, per, 0, 1))
	return p.Out.Forward(nn.AttentionPool(q, x, per, p.Key.Weight.Node(g), p.Value.Weight.Node(g), p.Value.Bias.Node(g), p.heads))
}
