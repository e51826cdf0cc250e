// Package mapping holds ClipCap's mapping networks (Mokady, Hertz and Bermano 2021, arXiv
// 2111.09734): they turn an image's CLIP feature into a prefix, the rows that stand before a caption's
// tokens in the language model's input.
package mapping

import (
	"errors"
	"fmt"

	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/nn"
)

// Kind is a mapper's architecture.
type Kind string

// The kinds of mapper.
const (
	KindMLP         Kind = "mlp"         // two layers with tanh between
	KindLinear      Kind = "linear"      // one layer, in published models with long prefixes
	KindTransformer Kind = "transformer" // attention over the feature's rows and learned ones
)

// Config describes a mapper.
type Config struct {
	Kind         Kind `json:"mapper"`
	Feature      int  `json:"prefix_size"`    // width of a CLIP feature
	Dim          int  `json:"embedding_size"` // width of the language model
	PrefixLength int  `json:"prefix_length"`  // rows of a prefix
	ClipLength   int  `json:"clip_length"`    // transformer: rows the feature becomes
	Layers       int  `json:"num_layers"`     // transformer
}

// heads is the number of attention heads of every transformer mapper.
const heads = 8

// MaxSize keeps sizes from a file or a flag far above any real mapper's and far below overflow.
const MaxSize = 1 << 16

// Validate lists everything that is wrong with c.
func (c Config) Validate() error {
	var errs []error
	size := func(name string, v int) {
		if v < 1 || v > MaxSize {
			errs = append(errs, fmt.Errorf("%s is %d, want 1 to %d", name, v, MaxSize))
		}
	}
	size("prefix_size", c.Feature)
	size("embedding_size", c.Dim)
	size("prefix_length", c.PrefixLength)
	switch c.Kind {
	case KindMLP:
		if c.Dim*c.PrefixLength%2 != 0 {
			errs = append(errs, fmt.Errorf("embedding_size %d times prefix_length %d is odd", c.Dim, c.PrefixLength))
		}
	case KindLinear:
	case KindTransformer:
		size("clip_length", c.ClipLength)
		size("num_layers", c.Layers)
		if c.Dim%heads != 0 {
			errs = append(errs, fmt.Errorf("embedding_size %d is no multiple of the mapper's %d heads", c.Dim, heads))
		}
	default:
		errs = append(errs, fmt.Errorf("mapper %q: want mlp, linear or transformer", c.Kind))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("mapper configuration: %w", err)
	}
	return nil
}

// Mapper is a mapping network. A program may train one of its own: a pointer to a struct whose weights nn.Collect finds by their tags; New
// makes those that checkpoints hold.
type Mapper interface {
	// Forward maps features [images, Config.Feature] to prefixes [images·PrefixLength, Dim], the rows of an image one after the other.
	Forward(features *G.Node) *G.Node
	// Init gives the mapper the random weights training starts from; nn.Collect gives them their names first.
	Init(seed uint64)
}

// ours is a mapper of this package.
type ours interface {
	Mapper
	linears() []*nn.Linear
}

// New makes a mapper with zero weights and unit norms. A configuration that Validate refuses is an error.
func New(c Config) (Mapper, error) { return build(c) }

func build(c Config) (ours, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	switch c.Kind {
	case KindMLP:
		return newMLP(c), nil
	case KindLinear:
		return &Linear{Layer: nn.NewLinear(c.Feature, c.PrefixLength*c.Dim, true), PrefixLength: c.PrefixLength}, nil
	}
	return newTransformer(c), nil
}
