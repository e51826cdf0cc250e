package mapping

import (
	"errors"
	"fmt"
	"strings"

	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights"
)

// Prefix stands in front of a mapper's weights in every checkpoint.
const Prefix = "clip_project"

// Keys is the key map of a mapper in ClipCap's checkpoints. Of the language model beside it only the token table is named, for its width.
func Keys(name string) (weights.Place, bool) {
	switch {
	case strings.HasPrefix(name, Prefix+"."), name == "gpt.transformer.wte.weight":
		return weights.Place{Param: name}, true
	case strings.HasPrefix(name, "gpt."):
		return weights.Place{}, true
	}
	return weights.Place{}, false
}

// Load reads a mapper from a checkpoint of ClipCap, whole or mapper only. The shapes give its configuration. dim is the width of the
// language model; 0 takes it from the file, where it shows unless the file holds an MLP or linear mapper alone.
func Load(path string, dim int) (Mapper, Config, error) {
	s, err := weights.Open(path)
	if err != nil {
		return nil, Config{}, fmt.Errorf("load mapper: %w", err)
	}
	defer s.Close()
	return FromStore(s, dim)
}

// FromStore is Load from an open store. The parameters are named as in the file, from "clip_project." on.
func FromStore(s *weights.Store, dim int) (Mapper, Config, error) { return FromStoreTo(nil, s, dim) }

// FromStoreTo is FromStore for a mapper that is not trained: the weights of products go to a backend as they are read.
func FromStoreTo(to nn.Holder, s *weights.Store, dim int) (Mapper, Config, error) {
	m, c, err := fromStore(to, s, dim)
	if err != nil {
		return nil, Config{}, fmt.Errorf("load mapper: %w", err)
	}
	return m, c, nil
}

func fromStore(to nn.Holder, s *weights.Store, dim int) (Mapper, Config, error) {
	l, err := s.Map(Keys)
	if err != nil {
		return nil, Config{}, err
	}
	c, err := ConfigOf(l, dim)
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		return nil, c, fmt.Errorf("%s: %w", s.Path, err)
	}
	if n := c.count(); n > 16*l.Len()+1<<24 { // far too few numbers: no memory for the rest
		return nil, c, fmt.Errorf("%s: %d numbers, and the mapper needs %d", s.Path, l.Len(), n)
	}
	m, err := build(c)
	if err != nil {
		return nil, c, fmt.Errorf("%s: %w", s.Path, err)
	}
	params, err := nn.Collect(Prefix, m)
	if err != nil {
		return nil, c, err
	}
	operands := map[*nn.Param]bool{}
	for _, layer := range m.linears() {
		operands[layer.Weight] = layer.OutIn
	}
	return m, c, l.BindEach(params, nn.TakenBy(to, operands), "gpt.")
}

// ConfigOf tells a mapper's configuration from the shapes in a file, seen through Keys, and the language model's width, 0 for unknown.
func ConfigOf(l *weights.Layout, dim int) (Config, error) {
	size := func(name string, axis int) int { return l.Dim(Prefix+"."+name, axis) }
	if own := l.Dim("gpt.transformer.wte.weight", 1); own > 0 {
		if dim > 0 && dim != own {
			return Config{}, fmt.Errorf("the language model in the file has width %d, not %d", own, dim)
		}
		dim = own
	}
	switch {
	case l.Has(Prefix + ".prefix_const"):
		c := Config{Kind: KindTransformer, Feature: size("linear.weight", 1), Dim: size("prefix_const", 1), PrefixLength: size("prefix_const", 0),
			Layers: l.Count(Prefix+".transformer.layers.", ".norm1.weight")}
		if dim > 0 && dim != c.Dim {
			return c, fmt.Errorf("the mapper is for a language model of width %d, not %d", c.Dim, dim)
		}
		if c.Dim > 0 {
			c.ClipLength = size("linear.weight", 0) / c.Dim
		}
		return c, nil
	case l.Has(Prefix + ".model.0.weight"):
		return flat(KindMLP, size("model.0.weight", 1), size("model.2.weight", 0), dim)
	case l.Has(Prefix + ".weight"):
		return flat(KindLinear, size("weight", 1), size("weight", 0), dim)
	}
	return Config{}, errors.New("no mapper: clip_project.prefix_const, clip_project.model.0.weight or clip_project.weight is wanted")
}

// flat is the configuration of a mapper whose output is prefix length times width.
func flat(kind Kind, feature, out, dim int) (Config, error) {
	c := Config{Kind: kind, Feature: feature, Dim: dim}
	switch {
	case dim == 0:
		return c, fmt.Errorf("the %s mapper's %d outputs do not tell the language model's width: give the model with --gpt2", kind, out)
	case out%dim != 0:
		return c, fmt.Errorf("the %s mapper's %d outputs are no multiple of the language model's width %d", kind, out, dim)
	}
	c.PrefixLength = out / dim
	return c, nil
}

// count is about the number of a mapper's numbers.
func (c Config) count() int {
	out := c.PrefixLength * c.Dim
	switch c.Kind {
	case KindMLP:
		return (c.Feature + out) * (out / 2)
	case KindLinear:
		return c.Feature * out
	}
	return c.Feature*c.ClipLength*c.Dim + 8*c.Layers*c.Dim*c.Dim
}
