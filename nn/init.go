package nn

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// source is the random numbers a parameter starts from. They depend on the seed and the parameter's name,
// so one layer more or less leaves the others as they were.
func (p *Param) source(seed uint64) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(p.Name))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// Normal fills p with normal numbers of mean 0 and deviation std. They depend on seed and on p's name, which Collect gives: without it all
// parameters would start alike.
func (p *Param) Normal(seed uint64, std float64) {
	r := p.source(seed)
	for i := range p.Data {
		p.Data[i] = float32(r.NormFloat64() * std)
	}
	p.Changed()
}

// Uniform fills p with numbers from -bound to bound, which depend on seed and name as Normal's do.
func (p *Param) Uniform(seed uint64, bound float64) {
	r := p.source(seed)
	for i := range p.Data {
		p.Data[i] = float32((2*r.Float64() - 1) * bound)
	}
	p.Changed()
}

// Init fills a layer as PyTorch's nn.Linear starts: weights and biases uniform within 1/√inputs, which is
// what its kaiming_uniform_(a=√5) comes to.
func (l *Linear) Init(seed uint64) {
	in := l.Weight.Shape[0]
	if l.OutIn {
		in = l.Weight.Shape[1]
	}
	bound := 1 / math.Sqrt(float64(in))
	l.Weight.Uniform(seed, bound)
	if l.Bias != nil {
		l.Bias.Uniform(seed, bound)
	}
}

// Init sets gains of 1 and biases of 0.
func (l *LayerNorm) Init() {
	for i := range l.Gain.Data {
		l.Gain.Data[i], l.Bias.Data[i] = 1, 0
	}
	l.Gain.Changed()
	l.Bias.Changed()
}
