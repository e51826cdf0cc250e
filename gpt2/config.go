package gpt2

import (
	"errors"
	"fmt"
	"io"

	"github.com/clipcap-go/clipcap/internal/files"
)

// Config describes a GPT-2, with the names of Hugging Face's config.json.
type Config struct {
	Vocab     int     `json:"vocab_size"`
	Positions int     `json:"n_positions"` // most rows of a sequence
	Dim       int     `json:"n_embd"`      // width of a row
	Layers    int     `json:"n_layer"`
	Heads     int     `json:"n_head"`  // Dim is a multiple of it
	Inner     int     `json:"n_inner"` // width of the MLP; 0: four times Dim
	Eps       float32 `json:"layer_norm_epsilon"`
	EmbdDrop  float32 `json:"embd_pdrop"`        // dropout of the embeddings,
	AttnDrop  float32 `json:"attn_pdrop"`        // of attention's weights,
	ResidDrop float32 `json:"resid_pdrop"`       // and of what is added to the residual stream
	InitRange float64 `json:"initializer_range"` // deviation of the random weights of Init
}

// sizes are the models OpenAI released, and the distilled one, by name.
var sizes = map[string][3]int{
	"distilgpt2":  {768, 6, 12},
	"gpt2":        {768, 12, 12},
	"gpt2-medium": {1024, 24, 16},
	"gpt2-large":  {1280, 36, 20},
	"gpt2-xl":     {1600, 48, 25},
}

// Published is the configuration of a released model: gpt2, gpt2-medium, gpt2-large, gpt2-xl or distilgpt2.
func Published(name string) (Config, error) {
	s, ok := sizes[name]
	if !ok {
		return Config{}, fmt.Errorf("gpt-2 model %q: want gpt2, gpt2-medium, gpt2-large, gpt2-xl or distilgpt2", name)
	}
	c := defaults()
	c.Dim, c.Layers, c.Heads = s[0], s[1], s[2]
	return c, nil
}

// defaults are the values a config.json may leave out.
func defaults() Config {
	return Config{Vocab: 50257, Positions: 1024, Dim: 768, Layers: 12, Heads: 12,
		Eps: 1e-5, EmbdDrop: 0.1, AttnDrop: 0.1, ResidDrop: 0.1, InitRange: 0.02}
}

// ReadConfig reads a config.json as Hugging Face writes it; what is left out has GPT-2 small's value.
func ReadConfig(r io.Reader) (Config, error) {
	c := defaults()
	text, err := readAll(r)
	if err == nil {
		err = files.Unmarshal(text, &c)
	}
	if err != nil {
		return Config{}, fmt.Errorf("read gpt-2 configuration: %w", err)
	}
	return c, c.Validate()
}

// inner is the width of the MLP.
func (c Config) inner() int {
	if c.Inner > 0 {
		return c.Inner
	}
	return 4 * c.Dim
}

// limit keeps sizes from a file far above any real model's and far below overflow.
const limit = 1 << 20

// Validate lists everything that is wrong with c.
func (c Config) Validate() error {
	var errs []error
	size := func(name string, v, least int) {
		if v < least || v > limit {
			errs = append(errs, fmt.Errorf("%s is %d, want %d to %d", name, v, least, limit))
		}
	}
	size("vocab_size", c.Vocab, 1)
	size("n_positions", c.Positions, 1)
	size("n_embd", c.Dim, 1)
	size("n_layer", c.Layers, 0)
	size("n_head", c.Heads, 1)
	size("n_inner", c.Inner, 0)
	if c.Heads > 0 && c.Dim%c.Heads != 0 {
		errs = append(errs, fmt.Errorf("n_embd %d is no multiple of n_head %d", c.Dim, c.Heads))
	}
	if !(c.Eps > 0) {
		errs = append(errs, fmt.Errorf("layer_norm_epsilon is %v, want more than 0", c.Eps))
	}
	for _, d := range []struct {
		name string
		p    float32
	}{{"embd_pdrop", c.EmbdDrop}, {"attn_pdrop", c.AttnDrop}, {"resid_pdrop", c.ResidDrop}} {
		if !(d.p >= 0 && d.p < 1) {
			errs = append(errs, fmt.Errorf("%s is %v, want 0 ≤ p < 1", d.name, d.p))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("gpt-2 configuration: %w", err)
	}
	return nil
}
