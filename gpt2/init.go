package gpt2

import (
	"math"
	"sync"

	"github.com/clipcap-go/clipcap/nn"
)

// Init gives the model the random weights GPT-2's training starts from: normal with deviation InitRange
// (0.02), zero biases, and what is added to the residual stream smaller by the root of the number of additions
// (Radford et al. 2019, section 2.3). The weights have names by then: Params gives them.
func (m *Model) Init(seed uint64) {
	std := m.Config.InitRange
	added := std / math.Sqrt(2*float64(len(m.Blocks)))
	var group sync.WaitGroup
	group.Go(func() { m.Tokens.Weight.Normal(seed, std) })
	group.Go(func() { m.Positions.Weight.Normal(seed, std) })
	m.Norm.Init()
	for i := range m.Blocks {
		b := &m.Blocks[i]
		group.Go(func() {
			b.Norm1.Init()
			b.Norm2.Init()
			for _, l := range [...]struct {
				*nn.Linear
				std float64
			}{{&b.Attn.QKV, std}, {&b.Attn.Proj, added}, {&b.MLP.Up, std}, {&b.MLP.Down, added}} {
				l.Weight.Normal(seed, l.std)
				l.Bias.Normal(seed, 0)
			}
		})
	}
	group.Wait()
}
