package clip

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/clipcap-go/clipcap/internal/files"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights"
)

// textParts are what the names of the text encoder's weights begin with.
var textParts = []string{"transformer.", "token_embedding.", "positional_embedding", "ln_final.", "text_projection", "logit_scale"}

// Load reads a CLIP from a file or a model's folder; see Layout for where its configuration comes from. The text
// encoder is left out where text is false.
func Load(path string, activation Activation, text bool) (*Model, error) {
	return loadTo(nil, path, activation, text)
}

func loadTo(to nn.Holder, path string, activation Activation, text bool) (*Model, error) {
	s, err := weights.Open(path)
	if err != nil {
		return nil, fmt.Errorf("load CLIP: %w", err)
	}
	defer s.Close()
	return fromStore(to, s, activation, text)
}

// FromStore is Load from an open store.
func FromStore(s *weights.Store, activation Activation, text bool) (*Model, error) {
	return fromStore(nil, s, activation, text)
}

// fromStore hands the weights of products to a backend, where there is one, as they are read.
func fromStore(to nn.Holder, s *weights.Store, activation Activation, text bool) (*Model, error) {
	l, c, err := Layout(s, activation)
	if err != nil {
		return nil, err
	}
	if text && c.Text.Width == 0 {
		return nil, fmt.Errorf("load CLIP: %s: no text encoder in it", s.Path)
	}
	if n := c.count(text); n > 16*float64(l.Len())+1<<24 { // far too few numbers: no memory for the rest
		return nil, fmt.Errorf("load CLIP: %s: %d numbers, and the model its shapes tell of needs %.0f", s.Path, l.Len(), n)
	}
	m, err := New(c, text)
	if err != nil {
		return nil, fmt.Errorf("load CLIP: %s: %w", s.Path, err)
	}
	params, err := m.Params()
	if err != nil {
		return nil, err
	}
	var without []string
	if !text {
		without = textParts
	}
	if err := l.BindEach(params, nn.TakenBy(to, m.operands()), without...); err != nil {
		return nil, fmt.Errorf("load CLIP: %w", err)
	}
	m.ready(to)
	return m, nil
}

// count is about the number of a model's numbers, as a float because sizes from a file may be any.
func (c Config) count(text bool) float64 {
	layers := func(width, n, inner int) float64 {
		return float64(n) * float64(width) * (4*float64(width) + 2*float64(inner))
	}
	v, t := c.Vision, c.Text
	out := float64(v.outWidth())
	n := out * (float64(c.Embed) + float64(v.grid())*float64(v.grid()))
	if v.ResNet() {
		for i, blocks := range v.Stages {
			mid := float64(v.Width) * float64(int(1)<<i)
			n += float64(blocks) * 17 * mid * mid
		}
		n += 3 * out * out
	} else {
		n += layers(v.Width, v.Layers, v.Inner) + 3*out*float64(v.Patch)*float64(v.Patch)
	}
	if text {
		n += layers(t.Width, t.Layers, t.Inner) + float64(t.Width)*(float64(t.Vocab)+float64(t.Context)+float64(c.Embed))
	}
	return n
}

// maxRandom bounds a random model's numbers, at twice those of the largest published CLIP.
const maxRandom = 10_000_000_000

// random makes a model at random from what follows "random:", a configuration file or a published name, and hands its weights to
// a backend, where there is one, as fromStore does.
func random(to nn.Holder, spec string, seed uint64, text bool) (*Model, error) {
	c, err := Published(spec)
	if err != nil {
		data, err := files.ReadAll(spec, maxConfig)
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("random CLIP: no file %q, nor is it one of %s", spec, strings.Join(PublishedNames(), ", "))
		} else if err != nil {
			return nil, fmt.Errorf("random CLIP: %w", err)
		}
		if c, err = parseConfig(data); err != nil {
			return nil, fmt.Errorf("random CLIP: %s: %w", spec, err)
		}
		c.fillIn()
	}
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("random CLIP: %s: %w", spec, err)
	}
	if n := c.count(text); n > maxRandom {
		return nil, fmt.Errorf("random CLIP: %s: a model of %.0f numbers, want at most %d", spec, n, maxRandom)
	}
	m, err := New(c, text)
	if err != nil {
		return nil, fmt.Errorf("random CLIP: %s: %w", spec, err)
	}
	return m, m.init(to, seed)
}

// fillIn gives what a configuration leaves out the values it has in ViT-B/32, as Hugging Face and open_clip do.
func (c *Config) fillIn() {
	or := func(v *int, other int) {
		if *v == 0 {
			*v = other
		}
	}
	if c.Eps == 0 {
		c.Eps = defaultEps
	}
	or(&c.Embed, 512)
	v, t := &c.Vision, &c.Text
	or(&v.ImageSize, 224)
	if !v.ResNet() {
		or(&v.Width, 768)
		or(&v.Patch, 32)
		or(&v.Layers, 12)
		or(&v.Heads, max(1, v.Width/headWidth))
		or(&v.Inner, 4*v.Width)
	}
	if *t != (TextConfig{}) {
		or(&t.Width, 512)
		or(&t.Context, 77)
		or(&t.Vocab, 49408)
		or(&t.Heads, max(1, t.Width/headWidth))
		or(&t.Layers, 12)
		or(&t.Inner, 4*t.Width)
	}
}
