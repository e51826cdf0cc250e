package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/internal/files"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/train"
	"github.com/clipcap-go/clipcap/weights/fetch"
)

// model loads or makes the mapper and the language model, for a set of features.
func (o *options) model(f *data.Features) (*train.Model, checkpoint.Config, error) {
	var c checkpoint.Config
	start, err := o.openInit(f.Dim)
	if err != nil {
		return nil, c, err
	}
	var lm *gpt2.Model
	if start != nil {
		c, lm = start.Config, start.LM
	}
	c.Normalize = o.settings.Normalize || o.settings.Noise > 0
	if f.Meta.CLIP.Name != "" {
		c.CLIP = checkpoint.Source{Name: f.Meta.CLIP.Name, SHA256: f.Meta.CLIP.SHA256}
	}
	if o.clipName != "" {
		c.CLIP = checkpoint.Source{Name: o.clipName}
	}
	if lm == nil {
		if lm, c.GPT2, err = o.openLM(); err != nil {
			return nil, c, fmt.Errorf("--gpt2: %w", err)
		}
	}
	c.LM = lm.Config
	if start != nil {
		model, err := train.NewModel(start.Mapper, c.Config, lm)
		return model, c, err
	}
	c.Config = mapping.Config{Kind: mapping.Kind(o.mapper), Feature: f.Dim, Dim: lm.Config.Dim, PrefixLength: o.prefixLength}
	if c.Kind == mapping.KindTransformer {
		c.ClipLength, c.Layers = o.clipLength, o.layers
	}
	m, err := mapping.New(c.Config)
	if err != nil {
		return nil, c, err
	}
	model, err := train.NewModel(m, c.Config, lm)
	if err != nil {
		return nil, c, err
	}
	m.Init(o.settings.Seed) // NewModel has named the weights, on which the numbers depend
	return model, c, nil
}

// openInit opens the checkpoint to start from, nil where none is named. width is that of the features.
func (o *options) openInit(width int) (*checkpoint.Checkpoint, error) {
	if o.init == "" {
		return nil, nil
	}
	var lm *gpt2.Config // for a file that does not tell it
	if o.given["gpt2"] && !o.random() {
		path, err := fetch.Locate(o.gpt2)
		if err == nil {
			lm, err = gpt2.ConfigBeside(path)
		}
		if err != nil {
			return nil, fmt.Errorf("--gpt2: %w", err)
		}
	}
	start, err := checkpoint.Open(o.init, lm)
	if err != nil {
		return nil, fmt.Errorf("--init: %w", err)
	}
	return start, o.agree(start.Config.Config, width)
}

// openLM opens or makes the language model that --gpt2 names.
func (o *options) openLM() (lm *gpt2.Model, from checkpoint.Source, err error) {
	path := o.gpt2
	if !o.random() {
		path, err = fetch.Locate(o.gpt2)
	}
	if err == nil {
		lm, err = gpt2.Open(path, nil, o.settings.Seed)
	}
	if err == nil {
		from, err = source(o.gpt2, path)
	}
	return lm, from, err
}

// agree refuses flags that contradict the checkpoint to start from.
func (o *options) agree(c mapping.Config, width int) error {
	var errs []error
	differ := func(name string, flag, is any, applies bool) {
		if o.given[name] && applies && flag != is {
			errs = append(errs, fmt.Errorf("--%s %v contradicts --init %s, which has %v", name, flag, o.init, is))
		}
	}
	transformer := c.Kind == mapping.KindTransformer
	differ("mapper", mapping.Kind(o.mapper), c.Kind, true)
	differ("prefix-length", o.prefixLength, c.PrefixLength, true)
	differ("clip-length", o.clipLength, c.ClipLength, transformer)
	differ("layers", o.layers, c.Layers, transformer)
	for _, name := range o.unread(c.Kind) {
		errs = append(errs, fmt.Errorf("--%s is for --mapper %s, --init %s has %s", name, mapping.KindTransformer, o.init, c.Kind))
	}
	if c.Feature != width {
		errs = append(errs, fmt.Errorf("--init %s takes features of %d numbers, --features %s has %d", o.init, c.Feature, o.features, width))
	}
	return errors.Join(errs...)
}

// random tells whether the language model is made, not read.
func (o *options) random() bool { return strings.HasPrefix(o.gpt2, "random:") }

// source names a language model, with the hash of its file where it is one.
func source(name, path string) (checkpoint.Source, error) {
	s := checkpoint.Source{Name: name}
	if strings.HasPrefix(path, "random:") {
		return s, nil
	}
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		for _, file := range []string{"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin"} {
			if inside := filepath.Join(path, file); err == nil && exists(inside) {
				return source(name, inside)
			}
		}
		return s, err
	}
	f, err := files.Open(path)
	if err != nil {
		return s, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return s, err
	}
	s.SHA256 = hex.EncodeToString(h.Sum(nil))
	return s, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// tokenizer is the language model's own, where its folder has one, else GPT-2's.
func (o *options) tokenizer() (*gpt2.Tokenizer, error) {
	if path := o.vocabulary(); path != "" {
		return gpt2.TokenizerOf(path)
	}
	return gpt2.DefaultTokenizer()
}

// vocabulary names the model whose vocabulary the captions are read with; empty: the published one.
func (o *options) vocabulary() string {
	if o.random() {
		return o.gpt2
	}
	if o.init != "" && !o.given["gpt2"] {
		return o.init
	}
	path, err := fetch.Locate(o.gpt2)
	if err != nil {
		return ""
	}
	return path
}
