package train

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
)

// lmPrefix stands in front of the language model's weights in checkpoints.
const lmPrefix = "gpt.transformer"

// Model is what is trained: a mapper and the language model behind it.
type Model struct {
	Mapper mapping.Mapper
	Config mapping.Config // the mapper's
	LM     *gpt2.Model
	// Adapters are the low-rank additions to the language model's layers that Settings.LoRA asks for; nil: none.
	Adapters nn.Params

	mapper, lm nn.Params

	held   map[*nn.Param]string // what was handed over, with samples of its numbers
	holder nn.Backend
}

// NewModel puts a mapper before a language model and names the parameters of both, which Init needs. A mapper whose prefixes are not as wide
// as the language model's rows is an error. Of c a mapper of one's own needs Feature, Dim and PrefixLength.
func NewModel(m mapping.Mapper, c mapping.Config, lm *gpt2.Model) (*Model, error) {
	if c.Dim != lm.Config.Dim {
		return nil, fmt.Errorf("the mapper makes prefixes of width %d, the language model's is %d", c.Dim, lm.Config.Dim)
	}
	t := &Model{Mapper: m, Config: c, LM: lm}
	var err error
	if t.mapper, err = nn.Collect(mapping.Prefix, m); err != nil {
		return nil, err
	}
	if t.lm, err = lm.Params(lmPrefix); err != nil {
		return nil, err
	}
	return t, nil
}

// MapperParams are the mapper's parameters, named as in a checkpoint.
func (m *Model) MapperParams() nn.Params { return m.mapper }

// LMParams are the language model's, without adapters, named as in a checkpoint.
func (m *Model) LMParams() nn.Params { return m.lm }

// Params are all parameters, adapters last.
func (m *Model) Params() nn.Params {
	all := append(nn.Params{}, m.mapper...)
	return append(append(all, m.lm...), m.Adapters...)
}

// freeze says what is not trained: the language model where frozenLM is set, and everything whose name matches one of the patterns, in
// which * stands for any run of characters and a pattern also takes what lies below it ("gpt.transformer.h.0"). The adapter of a weight that
// matches is not trained either. A pattern that matches nothing is an error.
func (m *Model) freeze(frozenLM bool, patterns []string) error {
	used := make([]bool, len(patterns))
	match := func(name string) bool {
		hit := false
		for i, p := range patterns {
			if covers(p, name) {
				used[i], hit = true, true
			}
		}
		return hit
	}
	var errs []error
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil {
			errs = append(errs, fmt.Errorf("pattern %q: %w", p, err))
		}
	}
	m.mapper.Freeze(match)
	m.lm.Freeze(func(name string) bool { return match(name) || frozenLM || m.Adapters != nil })
	m.Adapters.Freeze(func(name string) bool {
		layer, _, _ := strings.Cut(name, ".lora.")
		return match(name) || match(layer+".weight")
	})
	for i, p := range patterns {
		if !used[i] {
			errs = append(errs, fmt.Errorf("pattern %q matches no weight (they are called %s, …, %s)", p, m.mapper[0].Name, m.lm[len(m.lm)-1].Name))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("freeze: %w", err)
	}
	if len(m.Params().Trainable()) == 0 {
		return errors.New("freeze: nothing is left to train")
	}
	return nil
}

// covers tells whether a pattern matches a name or, up to one of its dots, what the name lies below.
func covers(pattern, name string) bool {
	pattern, name = strings.ReplaceAll(pattern, "/", "_"), strings.ReplaceAll(name, "/", "_") // path.Match's * stops at a slash
	for end := range len(name) + 1 {
		if end == len(name) || name[end] == '.' {
			if ok, _ := path.Match(pattern, name[:end]); ok {
				return true
			}
		}
	}
	return false
}

// TunesLM tells whether anything in the language model is trained.
func (m *Model) TunesLM() bool { return len(m.lm.Trainable()) > 0 || len(m.Adapters.Trainable()) > 0 }

// setDropout sets all three dropouts of the language model to p.
func (m *Model) setDropout(p float32) {
	m.LM.Config.EmbdDrop, m.LM.Config.AttnDrop, m.LM.Config.ResidDrop = p, p, p
	for i := range m.LM.Blocks {
		m.LM.Blocks[i].Attn.Drop = p
	}
}
