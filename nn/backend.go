package nn

import "context"

// DType is the type of a value's elements.
type DType int

// The element types of values. Float is whatever the backend computes in: float32 on the
// CPU, float64 in the reference backend.
const (
	Float DType = iota
	Int32
)

// String names the type in errors.
func (d DType) String() string { return [...]string{"float", "int32"}[d] }

// Buffer is memory of a backend. Only the backend that made it can look inside.
type Buffer interface {
	// Len is the number of elements.
	Len() int
}

// Tensor is a matrix in a Buffer: element (i, j) lies at Off + i·Stride + j.
// The zero Tensor stands for "none" where an argument is optional.
type Tensor struct {
	Buf        Buffer
	Off        int
	Rows, Cols int
	Stride     int
	Form       Form // how all rows lie at Off; only backends of this package ever get another than Numbers
}

// Form is how a result lies in memory between the operation that makes it and those that read it.
type Form uint8

// The forms. A backend says which it has where (betweener).
const (
	Numbers Form = iota // rows of the backend's floating-point numbers
	Rounded             // rows of bfloat16
	Ordered             // bfloat16 in the order in which the CPU's products read their left operand
)

// None tells whether t is absent.
func (t Tensor) None() bool { return t.Buf == nil }

// Columns is the view of t's columns [from, from+n); of rounded rows, from is even.
func (t Tensor) Columns(from, n int) Tensor {
	if t.Form == Rounded {
		from /= 2 // two in a number's place
	}
	t.Off += from
	t.Cols = n
	return t
}

// Activation is an elementwise non-linearity.
type Activation int

// The activations. GELUTanh is GPT-2's gelu_new, QuickGELU is CLIP's x·σ(1.702x), GELUErf the exact one.
const (
	NoActivation Activation = iota
	GELUTanhAct
	QuickGELUAct
	GELUErfAct
	ReLUAct
	TanhAct
)

// String names the activation.
func (a Activation) String() string {
	return [...]string{"none", "gelu-tanh", "quick-gelu", "gelu-erf", "relu", "tanh"}[a]
}

// Operand is the right side of a product. Weight is set when it is a parameter, which a backend
// may keep in a layout of its own until the parameter changes. Once says that the parameter will
// have changed before its next use as such, so that no layout is worth keeping.
type Operand struct {
	Tensor
	Weight *Param
	Once   bool
}

// Epilogue is what a product does to its result before storing it, in this order: add Bias [n],
// store it in Pre, apply Act, multiply by the derivative of GradOf at GradPre, add Residual, and with Positive take ReLU of it.
type Epilogue struct {
	Bias     Tensor
	Pre      Tensor
	Act      Activation
	GradOf   Activation
	GradPre  Tensor
	Residual Tensor
	Positive bool
}

// AttentionArgs are the arguments of attention over packed sequences. Q, K, V and Out are
// [rows, heads·headDim]; sequence s holds the rows Starts[s] … Starts[s+1]. A sequence with a
// Parent also sees all rows of that sequence in front of its own.
type AttentionArgs struct {
	Q, K, V, Out     Tensor
	LSE              Tensor // [rows, heads], log of the softmax's denominator; optional going forward
	QStarts, KStarts Tensor // int32 [sequences+1]
	Parent           Tensor // int32 [sequences], -1 for none; optional
	Heads            int
	Scale            float32
	Causal           bool
	Drop             Mask
	DOut, DQ, DK, DV Tensor // gradients, for AttentionGrad; a sparing backend may get no Out then
}

// PoolArgs are the arguments of attention with one query for each group of rows of X, over the projections of these rows.
type PoolArgs struct {
	Q, Out           Tensor // [groups, heads·headDim]
	X                Tensor // [rows, width], the same number of rows a group
	QStarts, XStarts Tensor // int32 [groups+1], the rows of each group's query and of the group
	Key, Value       Operand
	ValueBias        Tensor    // [heads·headDim]
	Work             [2]Tensor // to work in, rows end to end, each with room for the keys of X and for a row of X a group and head
	Heads            int
	Scale            float32
}

// Mask says which elements dropout removes: element i stays where hash(key, i) is at least P of
// the 32-bit range. State is int32 [4]: seed and step, low word first; Site numbers the place in the network.
type Mask struct {
	P     float32
	State Tensor
	Site  uint32
}

// CachedAttentionArgs are the arguments of attention over a cache of key and value rows. Rows of K
// and V are first written to the cache rows Slots; then query row r attends to the cache rows
// Table[r, :Lens[r]].
type CachedAttentionArgs struct {
	Q, K, V, Out   Tensor
	CacheK, CacheV Tensor
	Slots          Tensor // int32 [rows]
	Table          Tensor // int32 [rows, longest]
	Lens           Tensor // int32 [rows]
	Heads          int
	Scale          float32
}

// CrossEntropyArgs are the arguments of the language-model head and its loss, computed over
// pieces of the vocabulary so that the logits [rows, vocabulary] never exist.
type CrossEntropyArgs struct {
	X       Tensor  // [rows, dim]
	Embed   Operand // [vocabulary, dim]
	Targets Tensor  // int32 [rows], negative: ignored
	Loss    Tensor  // [1]: mean over the targets that count
	LSE     Tensor  // [rows], optional going forward
	DX      Tensor  // [rows, dim]: d loss / d x, optional
	DLoss   Tensor  // [1], CrossEntropyGrad only
	DEmbed  Tensor  // [vocabulary, dim], CrossEntropyGrad only, optional
}

// TopArgs are the arguments of a search over the vocabulary.
type TopArgs struct {
	X     Tensor  // [rows, dim]
	Embed Operand // [vocabulary, dim]
	Out   Tensor  // [rows, 2·K+1]
	K     int
	Scale float32
}

// ConvArgs describe a convolution of images [n·h·w, channels] (channels last) with square strides
// and padding.
type ConvArgs struct {
	Images           int // live images
	H, W, C          int
	Kernel           int
	Stride, Pad, Out int
}

// OutSize is the height and width of the result.
func (c ConvArgs) OutSize() (h, w int) {
	return (c.H+2*c.Pad-c.Kernel)/c.Stride + 1, (c.W+2*c.Pad-c.Kernel)/c.Stride + 1
}

// Backend runs kernels on one device. Tensors are matrices in its own memory; counts (rows,
// columns) are host numbers, everything else stays on the device. Unless a method says
// otherwise a result may not overlap an input.
//
// A backend may be shared by several machines and used by them at the same time.
type Backend interface {
	// Name is "cpu", "reference", "cuda:0", …
	Name() string

	// Alloc makes a zeroed buffer of n elements.
	Alloc(t DType, n int) (Buffer, error)
	// Free gives a buffer back; it must not be used afterwards.
	Free(b Buffer)
	// Write copies host numbers into a buffer of floats.
	Write(dst Buffer, off int, src []float32) error
	// WriteInts copies host numbers into a buffer of int32.
	WriteInts(dst Buffer, off int, src []int32) error
	// Read copies floats to the host, converting to float64.
	Read(dst []float64, src Buffer, off int) error
	// Parameter is the buffer that holds p's current numbers.
	Parameter(p *Param) (Buffer, error)

	// Begin opens a run, End closes it and waits for its results.
	Begin(ctx context.Context) error
	End() error

	// Gemm is c = epilogue(op(a)·op(b)), c [m, n]; op transposes where asked.
	// ep.Residual may be c itself.
	Gemm(c, a Tensor, transA bool, b Operand, transB bool, ep *Epilogue) error
	// ColSum is dst[j] = Σ_i a[i, j].
	ColSum(dst, a Tensor) error

	// Activate is dst = act(x); dst may be x.
	Activate(dst, x Tensor, act Activation) error
	// ActivateGrad is dx = dy·act'(x); dx may be dy.
	ActivateGrad(dx, dy, x Tensor, act Activation) error
	// Add is dst = a + b; dst may be either.
	Add(dst, a, b Tensor) error
	// Scale is dst = x·s with s a scalar on the device; dst may be x.
	Scale(dst, x, s Tensor) error
	// Zero clears dst.
	Zero(dst Tensor) error
	// Dropout is dst = x·mask/(1-p), or the same for a gradient; dst may be x.
	Dropout(dst, x Tensor, m Mask) error

	// LayerNorm normalises rows of x and stores their mean and 1/std where wanted.
	LayerNorm(y, x, gain, bias Tensor, eps float32, mean, rstd Tensor) error
	// LayerNormGrad gives dx, dgain and dbias where wanted.
	LayerNormGrad(dx, dgain, dbias, dy, x, gain, mean, rstd Tensor) error
	// L2Normalize is y = x/‖x‖ a row, and stores ‖x‖ in norm.
	L2Normalize(y, x, norm Tensor) error
	// L2NormalizeGrad is dx = (dy - y·(y·dy))/norm.
	L2NormalizeGrad(dx, dy, y, norm Tensor) error

	// Gather is dst[i] (+)= src[idx[i]]; a negative index gives a zero row (or adds nothing).
	Gather(dst, src, idx Tensor, add bool) error
	// ScatterAdd is dst[idx[i]] += src[i], summed in a fixed order; negative indices are skipped.
	ScatterAdd(dst, src, idx Tensor) error

	// Attention and AttentionGrad are softmax(QKᵀ·scale)V over packed sequences.
	Attention(a *AttentionArgs) error
	AttentionGrad(a *AttentionArgs) error
	// AttentionPool is Attention of the queries Q over the keys X·Keyᵀ and the values X·Valueᵀ + ValueBias.
	AttentionPool(a *PoolArgs) error
	// CachedAttention is one step of decoding.
	CachedAttention(a *CachedAttentionArgs) error

	// CrossEntropy is the fused head and loss; CrossEntropyGrad its gradient for a trainable head.
	CrossEntropy(a *CrossEntropyArgs) error
	CrossEntropyGrad(a *CrossEntropyArgs) error

	// Top gives the K greatest of each row of Scale·X·Embedᵀ, greatest first and the earlier of equals before
	// the later, their places in the row, and log Σ exp of the row.
	Top(a *TopArgs) error

	// Conv2D is y [n·oh·ow, out] = epilogue(conv(x [n·h·w, c], w [out, kernel·kernel·c])).
	Conv2D(y, x Tensor, w Operand, c ConvArgs, ep *Epilogue) error
	// Conv2DGrad gives dx and dw where wanted.
	Conv2DGrad(dx, dw, dy, x Tensor, w Operand, c ConvArgs) error
	// AvgPool averages k×k squares; Out and Pad are unused.
	AvgPool(y, x Tensor, c ConvArgs) error
	// AvgPoolGrad spreads dy over the squares.
	AvgPoolGrad(dx, dy Tensor, c ConvArgs) error

	// AdamW applies one update to parameter p with the moments m and v and the gradient g, all of p's size, and counts
	// as a change of p.
	AdamW(p *Param, m, v, g Tensor, a *AdamWArgs) error
	// SumSquares is Σ x².
	SumSquares(x Tensor) (float64, error)
	// Fetch brings p.Data up to date after updates.
	Fetch(p *Param) error
}
