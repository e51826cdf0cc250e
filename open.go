package clipcap

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/clip"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/internal/files"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights/fetch"
)

// Open loads a model: the folder of a checkpoint, a .pt file of the original, or a published model by name (coco,
// conceptual, coco-transformer), with its image encoder and language model. Nothing is downloaded. A mapper without the language model that it
// needs is a *NoLanguageModelError, an encoder whose features are not as wide as the mapper's a *WidthError.
func Open(ctx context.Context, name string, o Options) (*Model, error) {
	m, err := open(ctx, name, o)
	if err != nil {
		return nil, fmt.Errorf("open model %s: %w", name, err)
	}
	return m, nil
}

func open(ctx context.Context, name string, o Options) (*Model, error) {
	if o.Decode == (gpt2.Options{}) {
		o.Decode = gpt2.DefaultOptions()
	}
	if o.Weights == nn.WeightsByPrecision && o.Precision != nn.BFloat16 {
		o.Weights = nn.WeightsFloat32
	}
	m := &Model{options: o}
	var err error
	if m.mapperBackend, err = o.Device.OpenInference(o.Precision); err != nil {
		return nil, err
	}
	if m.lmBackend, err = o.Device.OpenWeights(o.Precision, o.Weights); err != nil {
		return nil, err
	}
	for _, part := range []func() error{
		func() error { return m.openCheckpoint(name) },
		m.openLanguageModel, m.openTokenizer, m.openEncoder,
		func() error { return m.options.Decode.Validate(m.lm.Config, m.longest()) },
	} {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := part(); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// holder is a backend that keeps weights in a form of its own, or nil.
func holder(be nn.Backend) nn.Holder {
	h, _ := be.(nn.Holder)
	return h
}

// locate is the file or folder of a model.
func (m *Model) locate(name string) (string, error) {
	if find := m.options.Locate; find != nil {
		return find(name)
	}
	return fetch.Locate(name)
}

// openCheckpoint reads the mapper, and the language model where there is one.
func (m *Model) openCheckpoint(name string) error {
	path, err := m.locate(name)
	if err != nil {
		return err
	}
	var lm *gpt2.Config
	if g := m.options.GPT2; g != "" {
		if lm, err = m.configOf(g); err != nil {
			return err
		}
	}
	if m.checkpoint, err = checkpoint.OpenTo(holder(m.mapperBackend), holder(m.lmBackend), path, lm); err != nil {
		return err
	}
	c := &m.checkpoint.Config
	if p, ok := presets[name]; ok && m.checkpoint.Original {
		c.CLIP.Name, c.GPT2.Name, c.Normalize = p.clip, "gpt2", p.normalize
	}
	if n := m.options.Normalize; n != nil {
		if !m.checkpoint.Original && *n != c.Normalize {
			return fmt.Errorf("the checkpoint was trained with normalize %v, not %v", c.Normalize, *n)
		}
		c.Normalize = *n
	}
	_, err = m.checkpoint.MapperParams()
	return err
}

// configOf is the configuration of a language model that is named, nil where only its weights can tell.
func (m *Model) configOf(name string) (*gpt2.Config, error) {
	if spec, ok := strings.CutPrefix(name, "random:"); ok {
		if c, err := gpt2.Published(spec); err == nil {
			return &c, nil
		}
		f, err := files.Stream(spec)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		c, err := gpt2.ReadConfig(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", spec, err)
		}
		return &c, nil
	}
	path, err := m.locate(name)
	if err != nil {
		return nil, err
	}
	c, err := gpt2.ConfigBeside(path)
	if c == nil && err == nil {
		if published, e := gpt2.Published(name); e == nil {
			c = &published
		}
	}
	return c, err
}

// openLanguageModel takes the checkpoint's, or the one that is named.
func (m *Model) openLanguageModel() error {
	c := &m.checkpoint.Config
	if m.lm = m.checkpoint.LM; m.lm == nil {
		name, err := m.options.GPT2, error(nil)
		if name == "" {
			name = c.GPT2.Name
		}
		if name == "" {
			return &NoLanguageModelError{Path: m.checkpoint.Path, Want: languageModel(c.Dim)}
		}
		path := name
		if !strings.HasPrefix(name, "random:") {
			if path, err = m.locate(name); err != nil {
				return &NoLanguageModelError{Path: m.checkpoint.Path, Want: name, Err: err}
			}
		}
		if m.lm, err = gpt2.OpenTo(holder(m.lmBackend), path, nil, m.options.Seed); err != nil {
			return err
		}
		c.LM = m.lm.Config
	}
	if m.lm.Config.Dim != c.Dim {
		return fmt.Errorf("the mapper makes prefixes of width %d, for %s, but the language model has width %d", c.Dim, languageModel(c.Dim), m.lm.Config.Dim)
	}
	_, err := m.lm.Params("gpt.transformer")
	return err
}

// languageModel names the published GPT-2 of a width.
func languageModel(dim int) string {
	for _, name := range []string{"gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl"} {
		if c, err := gpt2.Published(name); err == nil && c.Dim == dim {
			return name
		}
	}
	return fmt.Sprintf("of width %d it was trained with", dim)
}

// openTokenizer takes the vocabulary beside the language model that is named, or the published one where it fits.
func (m *Model) openTokenizer() error {
	if err := m.findTokenizer(); err != nil {
		return err
	}
	o := &m.options
	stop, isText := o.Stop, false
	if id, err := strconv.ParseInt(stop, 10, 32); err == nil {
		o.Decode.Stop = int32(id)
	} else if errors.Is(err, strconv.ErrRange) {
		return fmt.Errorf("the stop token %s is not in the vocabulary of %d", stop, m.lm.Config.Vocab)
	} else if isText = stop != ""; isText && m.tokenizer == nil && stop == defaultStop {
		isText = false // the published id, for a vocabulary that is not the published one
	}
	if m.tokenizer == nil && (isText || o.Prompt != "") {
		return fmt.Errorf("a prompt or stop word needs a vocabulary: the language model has %d tokens without texts; give ids", m.lm.Config.Vocab)
	}
	if isText {
		o.Decode.Stop = m.tokenizer.Encode(stop)[0]
	}
	if o.Prompt != "" {
		m.prompt = m.tokenizer.Encode(o.Prompt)
	}
	return nil
}

// defaultStop is what ends a caption of the published models.
const defaultStop = "."

// findTokenizer takes the vocabulary of the model that is named, else the checkpoint's own, else the published one, where
// it has the language model's size.
func (m *Model) findTokenizer() error {
	name := m.options.GPT2
	if name == "" {
		if name = m.checkpoint.Path; m.checkpoint.LM == nil {
			name = m.checkpoint.Config.GPT2.Name
		}
	}
	if !strings.HasPrefix(name, "random:") {
		if path, err := m.locate(name); err == nil {
			name = path
		} else if m.options.GPT2 != "" {
			return err
		}
	}
	for _, open := range []func() (*gpt2.Tokenizer, error){func() (*gpt2.Tokenizer, error) { return gpt2.TokenizerOf(name) }, gpt2.DefaultTokenizer} {
		t, err := open()
		if err != nil {
			return err
		}
		if t.VocabSize() == m.lm.Config.Vocab {
			m.tokenizer = t
			return nil
		}
	}
	return nil
}

// openEncoder loads CLIP and checks that its features fit.
func (m *Model) openEncoder() error {
	if m.options.FeaturesOnly {
		return nil
	}
	c := &m.checkpoint.Config
	name := m.options.CLIP
	if name == "" {
		name = c.CLIP.Name
	}
	if name == "" {
		return fmt.Errorf("%s does not tell which CLIP model its %d features come from: name it (CLIP, --clip): %s", m.checkpoint.Path, c.Feature, encoders(c.Feature))
	}
	// The published widths are known without loading a file of hundreds of megabytes.
	if published, err := clip.Published(strings.TrimPrefix(name, "random:")); err == nil && published.Embed != c.Feature {
		return &WidthError{Want: c.Feature, Got: published.Embed, From: "CLIP " + name}
	}
	path, err := name, error(nil)
	if !strings.HasPrefix(name, "random:") {
		if path, err = m.locate(name); err != nil {
			return err
		}
	}
	m.encoder, err = clip.Open(path, clip.Options{Precision: m.options.Precision, Device: m.options.Device, Activation: m.options.Activation, Seed: m.options.Seed})
	if err != nil {
		return err
	}
	if d := m.encoder.Dim(); d != c.Feature {
		return &WidthError{Want: c.Feature, Got: d, From: "CLIP " + name}
	}
	return nil
}
