package nn

import (
	"fmt"
	"sync/atomic"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/clipcap-go/clipcap/internal/kernel"
)

// Param is a named parameter of a model: its numbers on the host, shared by every graph that
// uses it.
type Param struct {
	Name  string // Collect sets it
	Shape []int
	Data  []float32 // row-major; call Changed after writing to it. Nil once a backend has taken the numbers (Holder)
	// Frozen parameters get no gradient. It is read when a graph is built.
	Frozen bool

	version atomic.Uint64
	value   *Value
	host    hostBuffer
}

// hostBuffer is Data as a buffer of the CPU backend.
func (p *Param) hostBuffer() *hostBuffer { return &p.host }

// NewParam makes a parameter of zeros, which has no name yet.
func NewParam(shape ...int) *Param {
	p := &Param{Shape: shape, Data: make([]float32, tensor.Shape(shape).TotalSize())}
	kernel.LargePages(p.Data)
	return p
}

// size is the number of numbers.
func (p *Param) size() int { return tensor.Shape(p.Shape).TotalSize() }

// Changed tells backends that Data holds new numbers, which the next run reads.
func (p *Param) Changed() { p.version.Add(1) }

// Version counts the calls of Changed.
func (p *Param) Version() uint64 { return p.version.Load() }

// Node is the parameter as a leaf of g: the same node at every call. A parameter without a name, or with that of another one in g, panics.
func (p *Param) Node(g *G.ExprGraph) *G.Node {
	if p.Name == "" {
		panic("nn: a parameter needs a name before it enters a graph")
	}
	if p.value == nil {
		if p.Data != nil {
			p.host.f = p.Data
		}
		p.value = newValue(Float, tensor.Shape(p.Shape).Clone())
		p.value.mem.Rows, p.value.param = rowsOf(p.Shape), p
	}
	n := G.NewTensor(g, tensor.Float32, len(p.Shape), G.WithShape(p.Shape...), G.WithName(p.Name), G.WithValue(p.value))
	if n.Value() != G.Value(p.value) {
		panic(fmt.Sprintf("nn: two parameters are called %q", p.Name))
	}
	return n
}
