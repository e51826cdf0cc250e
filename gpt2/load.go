package gpt2

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/clipcap-go/clipcap/internal/files"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights"
)

const head = "lm_head.weight"

// Keys is the key map of GPT-2: Hugging Face's names with and without "transformer.", and those of ClipCap's checkpoints, where
// "gpt." stands in front and the mapper's weights beside. Masks, which older files hold, are left out.
func Keys(name string) (weights.Place, bool) {
	if strings.HasPrefix(name, "clip_project.") {
		return weights.Place{}, true
	}
	name = strings.TrimPrefix(name, "gpt.")
	if name == head {
		return weights.Place{Param: name}, true
	}
	name = strings.TrimPrefix(name, "transformer.")
	first, rest, _ := strings.Cut(name, ".")
	switch {
	case first == "h":
		_, rest, _ = strings.Cut(rest, ".")
		if rest == "attn.bias" || rest == "attn.masked_bias" {
			return weights.Place{}, true
		}
	case first != "wte" && first != "wpe" && first != "ln_f":
		return weights.Place{}, false
	}
	return weights.Place{Param: name}, true
}

// Load reads a GPT-2 from a file or a model's folder: Hugging Face's files, or a whole checkpoint of ClipCap. The configuration is c;
// where c is nil, the config.json beside the file; where there is none, what the shapes say, for the published sizes.
func Load(path string, c *Config) (*Model, error) { return loadTo(nil, path, c) }

func loadTo(to nn.Holder, path string, c *Config) (*Model, error) {
	s, err := weights.Open(path)
	if err != nil {
		return nil, fmt.Errorf("load gpt-2: %w", err)
	}
	defer s.Close()
	if c == nil {
		if c, err = ConfigBeside(s.Path); err != nil {
			return nil, fmt.Errorf("load gpt-2: %w", err)
		}
	}
	return FromStoreTo(to, s, c)
}

// FromStore is Load from an open store; a nil c leaves the configuration to the shapes.
func FromStore(s *weights.Store, c *Config) (*Model, error) { return FromStoreTo(nil, s, c) }

// FromStoreTo is FromStore for a model that is only decoded with: the weights of products go to a backend as they are read.
func FromStoreTo(to nn.Holder, s *weights.Store, c *Config) (*Model, error) {
	m, err := fromStore(to, s, c)
	if err != nil {
		return nil, fmt.Errorf("load gpt-2: %w", err)
	}
	return m, nil
}

// fromStore is FromStoreTo, whose errors say in front what failed.
func fromStore(to nn.Holder, s *weights.Store, c *Config) (*Model, error) {
	l, err := s.Map(Keys)
	if err != nil {
		return nil, err
	}
	shapes, err := ConfigOf(l)
	switch {
	case c != nil && shapes.Dim > 0:
		shapes, err = *c, c.fits(shapes) // before memory is taken for sizes the file does not have
	case c == nil && err == nil:
		err = shapes.Validate()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Path, err)
	}
	if n := shapes.Count(); n > 16*l.Len()+1<<24 { // far too few numbers: no memory for the rest
		return nil, fmt.Errorf("%s: %d numbers, and the model needs %d", s.Path, l.Len(), n)
	}
	m, err := New(shapes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Path, err)
	}
	params, err := m.Params("")
	if err != nil {
		return nil, err
	}
	return m, bind(s, l, params, m.taken(to))
}

// bind fills the parameters and checks that a head of its own in the file is the token table, as the model has it.
func bind(s *weights.Store, l *weights.Layout, params nn.Params, taken func(p *nn.Param) *nn.Taking) error {
	if l.Has(head) {
		tied, err := l.Same(head, "wte.weight")
		if err != nil {
			return err
		}
		if !tied {
			return fmt.Errorf("%s: lm_head.weight differs from wte.weight: a model with a head of its own is not GPT-2", s.Path)
		}
	}
	return l.BindEach(params, taken, head)
}

// ConfigOf tells the configuration from the shapes in a file, seen through Keys. The number of heads does not show in a
// shape: it is known for the published widths, which have heads of 64, and an error asks for it elsewhere.
func ConfigOf(l *weights.Layout) (Config, error) {
	c := defaults()
	c.Vocab, c.Dim = l.Dim("wte.weight", 0), l.Dim("wte.weight", 1)
	c.Positions, c.Layers = l.Dim("wpe.weight", 0), l.Count("h.", ".ln_1.weight")
	if inner := l.Dim("h.0.mlp.c_fc.weight", 1); inner != 4*c.Dim {
		c.Inner = inner
	}
	if c.Dim == 0 || c.Vocab == 0 || c.Positions == 0 {
		c.Dim = 0
		return c, errors.New("no token and position tables (wte.weight, wpe.weight): not a GPT-2")
	}
	c.Heads = 0
	for _, size := range sizes {
		if size[0] == c.Dim {
			c.Heads = size[2]
		}
	}
	if c.Heads == 0 {
		return c, fmt.Errorf("n_embd %d is not one of the published sizes, so the number of heads is not known: it takes the model's config.json, beside the file or by --gpt2", c.Dim)
	}
	return c, nil
}

// fits compares a configuration with what the shapes say.
func (c Config) fits(shapes Config) error {
	var errs []error
	for _, v := range []struct {
		name      string
		want, got int
	}{
		{"vocab_size", c.Vocab, shapes.Vocab}, {"n_positions", c.Positions, shapes.Positions}, {"n_embd", c.Dim, shapes.Dim},
		{"n_layer", c.Layers, shapes.Layers}, {"n_inner", c.inner(), shapes.inner()},
	} {
		if v.want != v.got && !(v.name == "n_inner" && c.Layers == 0) {
			errs = append(errs, fmt.Errorf("%s is %d", v.name, v.want))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("the configuration is of another model: %w; the tensors say vocab_size %d, n_positions %d, n_embd %d, n_layer %d, n_inner %d",
		joinLine(errs), shapes.Vocab, shapes.Positions, shapes.Dim, shapes.Layers, shapes.inner())
}

// Count is the number of a model's numbers: 124,439,808 for GPT-2 small.
func (c Config) Count() int {
	block := 4*c.Dim + 4*c.Dim*(c.Dim+1) + (2*c.Dim+1)*c.inner() + c.Dim
	return (c.Vocab+c.Positions+2)*c.Dim + c.Layers*block
}

// joinLine joins errors on one line.
func joinLine(errs []error) error {
	var parts []string
	for _, e := range errs {
		parts = append(parts, e.Error())
	}
	return errors.New(strings.Join(parts, ", "))
}

// ConfigBeside reads the config.json in path, a folder, or beside path, a file. It is nil where there is none, or one of another kind
// of model.
func ConfigBeside(path string) (*Config, error) {
	dir := path
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		dir = filepath.Dir(path)
	}
	path = filepath.Join(dir, "config.json")
	text, err := files.ReadAll(path, maxFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var kind struct {
		Dim *int            `json:"n_embd"`
		LM  json.RawMessage `json:"gpt2_config"` // of a checkpoint that holds a mapper too
	}
	if err := files.Unmarshal(text, &kind); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if kind.LM != nil && kind.Dim == nil {
		text = kind.LM
	} else if kind.Dim == nil {
		return nil, nil
	}
	c, err := ReadConfig(strings.NewReader(string(text)))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &c, nil
}
