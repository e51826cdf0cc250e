package clip

import (
	"math"
	"runtime"
	"strings"
	"sync"

	"github.com/clipcap-go/clipcap/nn"
)

// Init gives the model the random weights CLIP's training starts from: what openai/CLIP's initialize_parameters sets,
// and PyTorch's own starting values for the rest.
func (m *Model) Init(seed uint64) error {
	return m.init(nil, seed)
}

// init hands the weights of products to a backend, where there is one, as soon as they have their numbers.
func (m *Model) init(to nn.Holder, seed uint64) error {
	params, err := m.Params()
	if err != nil {
		return err
	}
	take := nn.TakeNow(to, m.operands())
	var mu sync.Mutex
	var group sync.WaitGroup
	turns := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, p := range params {
		turns <- struct{}{}
		group.Go(func() {
			m.start(p, seed)
			mu.Lock()
			take(p)
			mu.Unlock()
			<-turns
		})
	}
	group.Wait()
	m.ready(to)
	return nil
}

// start fills one weight, by its name.
func (m *Model) start(p *nn.Param, seed uint64) {
	name, visual := strings.CutPrefix(p.Name, "visual.")
	has := func(end string) bool { return strings.HasSuffix(name, end) }
	root := func(n int) float64 { return 1 / math.Sqrt(float64(n)) }
	fill := func(v float32) {
		for i := range p.Data {
			p.Data[i] = v
		}
		p.Changed()
	}
	fan := 1 // inputs of a product
	for _, n := range p.Shape[min(1, len(p.Shape)):] {
		fan *= n
	}
	vision, text := m.Config.Vision, m.Config.Text
	switch {
	case has("logit_scale"):
		fill(float32(math.Log(1 / 0.07)))
	case has("running_var"):
		fill(1)
	case has("running_mean"), has("in_proj_bias"), has("out_proj.bias"), has("bn1.bias"), has("bn2.bias"), has("bn3.bias"),
		has("downsample.1.bias"), isNorm(name) && has(".bias"):
		fill(0)
	case has("bn3.weight") && strings.HasPrefix(name, "layer"):
		fill(0) // a block begins as the identity
	case isNorm(name), has("bn1.weight"), has("bn2.weight"), has("bn3.weight"), has("downsample.1.weight"):
		fill(1)
	case visual && (has("class_embedding") || has("positional_embedding") || name == "proj"):
		p.Normal(seed, root(vision.outWidth()))
	case strings.HasPrefix(name, "attnpool.") && has(".weight"):
		p.Normal(seed, root(vision.outWidth()))
	case has("token_embedding.weight"):
		p.Normal(seed, 0.02)
	case has("positional_embedding"):
		p.Normal(seed, 0.01)
	case has("text_projection"):
		p.Normal(seed, root(text.Width))
	case !visual && has("in_proj_weight"):
		p.Normal(seed, root(text.Width))
	case !visual && (has("out_proj.weight") || has("c_proj.weight")):
		p.Normal(seed, root(text.Width)*root(2*text.Layers))
	case !visual && has("c_fc.weight"):
		p.Normal(seed, root(2*text.Width))
	case has("in_proj_weight"): // Xavier's, over all three projections
		p.Uniform(seed, math.Sqrt(6/float64(p.Shape[0]+p.Shape[1])))
	case has(".bias"):
		p.Uniform(seed, root(m.biasFan(name, visual)))
	default:
		p.Uniform(seed, root(fan))
	}
}

// isNorm tells the weights of layer norms.
func isNorm(name string) bool {
	return strings.Contains(name, "ln_1.") || strings.Contains(name, "ln_2.") || strings.HasPrefix(name, "ln_")
}

// biasFan is the number of inputs of the product that a bias belongs to.
func (m *Model) biasFan(name string, visual bool) int {
	width, inner := m.Config.Text.Width, m.Config.Text.Inner
	if visual {
		width, inner = m.Config.Vision.outWidth(), m.Config.Vision.Inner
	}
	if strings.HasSuffix(name, "mlp.c_proj.bias") {
		return inner
	}
	return width
}
