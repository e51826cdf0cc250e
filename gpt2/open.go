package gpt2

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/clipcap-go/clipcap/internal/files"
	"github.com/clipcap-go/clipcap/nn"
)

// maxRandom bounds a random model's numbers, at four times those of the largest published GPT-2.
const maxRandom = 6_000_000_000

// Open loads a GPT-2 as Load does, or makes one at random where name is "random:" and a configuration file or a published name: the same
// seed gives the same weights.
func Open(name string, c *Config, seed uint64) (*Model, error) { return OpenTo(nil, name, c, seed) }

// OpenTo is Open for a model that is only decoded with: the weights of products go to a backend as they are read.
func OpenTo(to nn.Holder, name string, c *Config, seed uint64) (*Model, error) {
	spec, ok := strings.CutPrefix(name, "random:")
	if !ok {
		return loadTo(to, name, c)
	}
	config, err := randomConfig(spec)
	if err != nil {
		return nil, fmt.Errorf("random gpt-2: %w", err)
	}
	dim := float64(config.Dim) // floats, because sizes from a file may be any
	if n := dim*(float64(config.Vocab)+float64(config.Positions)) + float64(config.Layers)*dim*(4*dim+2*float64(config.inner())); n > maxRandom {
		return nil, fmt.Errorf("random gpt-2: %s: a model of %.0f numbers, want at most %d", spec, n, maxRandom)
	}
	m, err := New(config)
	if err != nil {
		return nil, fmt.Errorf("random gpt-2: %w", err)
	}
	if _, err := m.Params(""); err != nil {
		return nil, err
	}
	if to == nil {
		m.Init(seed)
	} else {
		m.init(seed, nn.TakeNow(to, m.operands()))
	}
	return m, nil
}

// randomConfig is a published model's configuration or a file's.
func randomConfig(spec string) (Config, error) {
	if c, err := Published(spec); err == nil {
		return c, nil
	}
	f, err := files.Stream(spec)
	if errors.Is(err, os.ErrNotExist) {
		return Config{}, fmt.Errorf("no file %q, nor is it the name of a published model", spec)
	} else if err != nil {
		return Config{}, err
	}
	defer f.Close()
	c, err := ReadConfig(f)
	if err != nil {
		return c, fmt.Errorf("%s: %w", spec, err)
	}
	return c, nil
}
