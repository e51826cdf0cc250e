package clip

import (
	"runtime/debug"

	"github.com/clipcap-go/clipcap/nn"
)

// operands are the weights that products take as they are in the file, and whether transposed. The others are small,
// or others are made of them (see hand), or they are a pooling's (see ResNet.ready).
func (m *Model) operands() map[*nn.Param]bool {
	all := map[*nn.Param]bool{}
	if v := m.ViT; v != nil {
		all[v.Proj] = false
		v.Layers.operands(all)
	} else {
		p := &m.ResNet.Pool
		for _, l := range [...]*nn.Linear{&p.Query, &p.Out} {
			all[l.Weight] = l.OutIn
		}
	}
	if t := m.Text; t != nil {
		all[t.Proj] = false
		t.Layers.operands(all)
	}
	return all
}

// operands adds those of a stack. The last projection is used in parts.
func (t *Transformer) operands(all map[*nn.Param]bool) {
	for i := range t.Blocks {
		b := &t.Blocks[i]
		for _, l := range [...]*nn.Linear{&b.Attn.Out, &b.Up, &b.Down} {
			all[l.Weight] = l.OutIn
		}
		if i < len(t.Blocks)-1 {
			all[b.Attn.Weight] = true
		}
	}
}

// hand gives a backend what ready made of the weights.
func (m *Model) hand(to nn.Holder) {
	if v := m.ViT; v != nil {
		to.Take(v.patches.Weight, true)
		v.Conv1.Data = nil // patches stands for it
		v.Layers.hand(to)
	} else {
		m.ResNet.hand(to)
	}
	if m.Text != nil {
		m.Text.Layers.hand(to)
	}
	debug.FreeOSMemory()
}

func (t *Transformer) hand(to nn.Holder) {
	a := &t.Blocks[len(t.Blocks)-1].Attn
	to.Take(a.query.Weight, true)
	to.Take(a.keyValue.Weight, true)
	a.Weight.Data = nil // the two stand for it
}

// hand gives a backend the folded convolutions that it does not have yet.
func (m *ResNet) hand(to nn.Holder) {
	h := hander{to: to}
	m.each(func(_ *nn.Param, _ *BatchNorm, f *folded, size, stride int) { h.take(f, size, stride) })
}

// hander gives convolutions to a backend, nil for none.
type hander struct {
	to    nn.Holder
	spent int // numbers that wait for the garbage collector, about
}

// handPiece is how many numbers may wait for the garbage collector while weights change their form.
const handPiece = 8 << 20

func (h *hander) take(f *folded, size, stride int) {
	if h.to == nil {
		return
	}
	if h.spent += 2 * len(f.weight.Data); h.spent > handPiece {
		h.spent = 0
		debug.FreeOSMemory()
	}
	if f.kernel == 1 {
		h.to.Take(f.weight, true)
	} else {
		h.to.TakeConv(f.weight, f.conv(size, stride))
	}
}
