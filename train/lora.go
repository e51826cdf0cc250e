package train

import (
	"fmt"

	"github.com/clipcap-go/clipcap/nn"
)

// addLoRA gives every linear layer of the language model a low-rank addition to train in its place (Hu et al. 2021, arXiv 2106.09685). It
// starts at zero: Up is zero, Down uniform as PyTorch's linear layers start.
func (m *Model) addLoRA(rank int, seed uint64) error {
	if rank < 1 {
		return fmt.Errorf("lora: rank %d, want 1 or more", rank)
	}
	for _, l := range m.linears() {
		in, out := l.Weight.Shape[0], l.Weight.Shape[1]
		l.Low = &nn.LowRank{Down: nn.NewParam(in, rank), Up: nn.NewParam(rank, out)}
	}
	named, err := m.LM.Params(lmPrefix)
	if err != nil {
		return err
	}
	m.lm, m.Adapters = nil, nil
	adapters := map[*nn.Param]bool{}
	for _, l := range m.linears() {
		adapters[l.Low.Down], adapters[l.Low.Up] = true, true
	}
	for _, p := range named {
		if adapters[p] {
			m.Adapters = append(m.Adapters, p)
		} else {
			m.lm = append(m.lm, p)
		}
	}
	for _, l := range m.linears() {
		down := nn.Linear{Weight: l.Low.Down}
		down.Init(seed)
	}
	return nil
}

// linears are the language model's linear layers, which keep their weights [in, out].
func (m *Model) linears() []*nn.Linear {
	var ls []*nn.Linear
	for i := range m.LM.Blocks {
		b := &m.LM.Blocks[i]
		ls = append(ls, &b.Attn.QKV, &b.Attn.Proj, &b.MLP.Up, &b.MLP.Down)
	}
	return ls
}

// Merged are the parameters of the language model with the adapters multiplied out, as a checkpoint holds them: whoever opens it needs to
// know nothing of adapters. What has no adapter is the model's own.
func (m *Model) Merged() nn.Params {
	low := map[*nn.Param]*nn.LowRank{}
	for _, l := range m.linears() {
		if l.Low != nil {
			low[l.Weight] = l.Low
		}
	}
	ps := make(nn.Params, len(m.lm))
	for i, p := range m.lm {
		ps[i] = p
		if l := low[p]; l != nil {
			ps[i] = multiplied(p, l)
		}
	}
	return ps
}

// multiplied is w + down·up.
func multiplied(w *nn.Param, l *nn.LowRank) *nn.Param {
	rank, out := l.Up.Shape[0], l.Up.Shape[1]
	sum := &nn.Param{Name: w.Name, Shape: w.Shape, Data: append([]float32(nil), w.Data...)}
	for i := range w.Shape[0] {
		row := sum.Data[i*out:][:out]
		for k := range rank {
			d := l.Down.Data[i*rank+k]
			for j, u := range l.Up.Data[k*out:][:out] {
				row[j] += d * u
			}
		}
	}
	return sum
}
