package train

import (
	"math"

	"github.com/clipcap-go/clipcap/nn"
)

// Bytes is about how many bytes a checkpoint of the run takes on disk, the weights and the state.
func (t *Trainer) Bytes() int64 {
	n := t.Model.MapperParams().Count() + 2*t.opt.Params().Count()
	if t.Model.TunesLM() {
		n += t.Model.LMParams().Count()
	}
	return int64(math.Ceil(4 * float64(n) * 1.001))
}

// Memory is about how many bytes the run takes: the parameters, the moments of what is trained, the results of a step, the weights as the
// products use them and what these need beside; gradients where an update needs them all; and the program. Validation comes on top.
func (t *Trainer) Memory() int64 { return t.needs() + program }

// program is what a run takes that depends on neither model nor batch: the program's own code and tables, a vocabulary, the buffers of files.
const program = 60 << 20

// needs is Memory without the program.
func (t *Trainer) needs() int64 {
	const number = 4
	m, trained := t.Model, int64(t.opt.Params().Count())
	packed := int64(number)
	if c, ok := t.backend.(*nn.CPU); ok {
		packed = int64(c.WeightSize())
	} else if t.Settings.Precision == nn.BFloat16.String() {
		packed = 2
	}
	bytes := number*(int64(m.Params().Count())+2*trained+int64(t.net.machine.Plan().Arena)) + int64(t.net.machine.Work())
	if t.Settings.Accumulate > 1 { // sums of gradients, and weights packed once for several batches, both ways
		bytes += trained * (number + 2*packed)
	}
	if m.TunesLM() {
		return bytes
	}
	var layers int64
	for _, l := range m.linears() {
		layers += int64(nn.Params{l.Weight}.Count())
	}
	if len(m.held) > 0 || t.Settings.FrozenLM && t.Settings.LoRA == 0 { // a run hands them over
		bytes += layers * (packed - number)
		if h, ok := t.backend.(nn.Holder); ok && h.Exact() {
			return bytes // the token table too is there but once
		}
	} else {
		bytes += layers * 2 * packed
	}
	return bytes + packed*int64(nn.Params{m.LM.Tokens.Weight}.Count())
}
