package gpt2

import (
	"math"
	"runtime"
	"sync"

	"github.com/clipcap-go/clipcap/nn"
)

// Init gives the model the random weights GPT-2's training starts from: normal with deviation InitRange
// (0.02), zero biases, and what is added to the residual stream smaller by the root of the number of additions
// (Radford et al. 2019, section 2.3). The numbers depend on the weights' names, so Params, which gives these, comes first.
func (m *Model) Init(seed uint64) { m.init(seed, func(*nn.Param) {}) }

// init calls done with each matrix as soon as it has its numbers, one at a time.
func (m *Model) init(seed uint64, done func(p *nn.Param)) {
	std := m.Config.InitRange
	added := std / math.Sqrt(2*float64(len(m.Blocks)))
	var mu sync.Mutex
	start := func(p *nn.Param, std float64) {
		p.Normal(seed, std)
		mu.Lock()
		defer mu.Unlock()
		done(p)
	}
	var group sync.WaitGroup
	turns := make(chan struct{}, runtime.GOMAXPROCS(0))
	run := func(f func()) {
		turns <- struct{}{}
		group.Go(func() {
			f()
			<-turns
		})
	}
	run(func() { start(m.Tokens.Weight, std) })
	run(func() { m.Positions.Weight.Normal(seed, std) })
	m.Norm.Init()
	for i := range m.Blocks {
		b := &m.Blocks[i]
		run(func() {
			b.Norm1.Init()
			b.Norm2.Init()
			for _, l := range [...]struct {
				*nn.Linear
				std float64
			}{{&b.Attn.QKV, std}, {&b.Attn.Proj, added}, {&b.MLP.Up, std}, {&b.MLP.Down, added}} {
				start(l.Weight, l.std)
				l.Bias.Normal(seed, 0)
			}
		})
	}
	group.Wait()
}
