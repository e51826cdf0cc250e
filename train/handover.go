package train

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/clipcap-go/clipcap/nn"
)

// HandOver gives the layers of a language model that stays as it is to a backend, in the one form its products use, and lets go of their
// numbers, two thirds of what such a run would hold of the model; where that form has float32's numbers, the token table too. From then on
// the model serves this backend alone, and can neither be tuned nor saved. It comes before New, with Settings.FrozenLM; backends that keep
// weights elsewhere take nothing.
func (m *Model) HandOver(be nn.Backend) {
	h, ok := be.(nn.Holder)
	if !ok || m.Adapters != nil {
		return
	}
	if m.held == nil {
		m.held, m.holder = map[*nn.Param]string{}, be
	}
	take := func(p *nn.Param, transposed bool) {
		if p.Data != nil {
			m.held[p] = samples(p)
			h.Take(p, transposed)
		}
	}
	for _, l := range m.linears() {
		take(l.Weight, l.OutIn)
	}
	if h.Exact() {
		take(m.LM.Tokens.Weight, true)
	}
}

// checkHeld refuses what a model that was handed over cannot do.
func (m *Model) checkHeld(be nn.Backend, s *Settings) error {
	switch {
	case m.held == nil:
		return nil
	case !s.FrozenLM || s.LoRA > 0:
		return errors.New("the language model was handed to a backend and can only stay as it is: want it frozen, without adapters")
	case m.holder != be:
		return fmt.Errorf("the language model was handed to another backend than this %s", be.Name())
	}
	return nil
}

// samples are some of a parameter's numbers.
func samples(p *nn.Param) string {
	text := make([]byte, 0, 9000)
	for i := 0; i < len(p.Data); i += 1 + len(p.Data)/1000 {
		text = fmt.Appendf(text, " %x", math.Float32bits(p.Data[i]))
	}
	return string(text)
}

// identify writes what tells one frozen parameter from another.
func (m *Model) identify(w io.Writer, p *nn.Param) {
	fmt.Fprint(w, p.Name, p.Shape)
	text, ok := m.held[p]
	if !ok {
		text = samples(p)
	}
	io.WriteString(w, text)
}
