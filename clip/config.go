package clip

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Config describes a CLIP model, with the names of open_clip's model configurations.
type Config struct {
	Embed int `json:"embed_dim"` // width of a feature
	// Activation of the transformers' MLPs: QuickGELU in OpenAI's models, GELU in many of open_clip's.
	Activation Activation   `json:"activation"`
	Eps        float32      `json:"layer_norm_eps"`
	Vision     VisionConfig `json:"vision_cfg"`
	Text       TextConfig   `json:"text_cfg"`
}

// VisionConfig is the image tower: a vision transformer, or with Stages CLIP's own ResNet.
type VisionConfig struct {
	ImageSize int   `json:"image_size"`           // side in pixels
	Width     int   `json:"width"`                // of the transformer's rows, or channels of the ResNet's first stage
	Heads     int   `json:"heads"`                // of the transformer, or of the ResNet's attention pooling
	Layers    int   `json:"layers,omitempty"`     // transformer
	Patch     int   `json:"patch_size,omitempty"` // transformer: side in pixels
	Inner     int   `json:"mlp_width,omitempty"`  // transformer
	Stages    []int `json:"stages,omitempty"`     // ResNet: blocks of each of the four stages
}

// TextConfig is the text tower, all zero in a file that has none.
type TextConfig struct {
	Context int `json:"context_length"` // most tokens of a text, the two around it included
	Vocab   int `json:"vocab_size"`
	Width   int `json:"width"` // of a row
	Heads   int `json:"heads"`
	Layers  int `json:"layers"`
	Inner   int `json:"mlp_width"`
}

// Activation is the function inside a transformer's MLPs.
type Activation string

// The activations of CLIP models.
const (
	QuickGELU Activation = "quickgelu" // x·σ(1.702x)
	GELU      Activation = "gelu"      // exact, by the error function
)

// headWidth is the width of a head in all of OpenAI's models.
const headWidth = 64

// models are OpenAI's models: image size, patch or 0, width, layers or stages, width of a feature, width of the text tower.
var models = []struct {
	name                string
	image, patch, width int
	layers              []int
	embed, text         int
}{
	{"RN50", 224, 0, 64, []int{3, 4, 6, 3}, 1024, 512},
	{"RN101", 224, 0, 64, []int{3, 4, 23, 3}, 512, 512},
	{"RN50x4", 288, 0, 80, []int{4, 6, 10, 6}, 640, 640},
	{"RN50x16", 384, 0, 96, []int{6, 8, 18, 8}, 768, 768},
	{"RN50x64", 448, 0, 128, []int{3, 15, 36, 10}, 1024, 1024},
	{"ViT-B/32", 224, 32, 768, []int{12}, 512, 512},
	{"ViT-B/16", 224, 16, 768, []int{12}, 512, 512},
	{"ViT-L/14", 224, 14, 1024, []int{24}, 768, 768},
	{"ViT-L/14@336px", 336, 14, 1024, []int{24}, 768, 768},
}

// PublishedNames are the names of OpenAI's models.
func PublishedNames() []string {
	var names []string
	for _, p := range models {
		names = append(names, p.name)
	}
	return names
}

// Published is the configuration of one of OpenAI's models, by its name (PublishedNames); another name is an error.
func Published(name string) (Config, error) {
	for _, p := range models {
		if p.name != name {
			continue
		}
		c := Config{Embed: p.embed, Activation: QuickGELU, Eps: defaultEps,
			Vision: VisionConfig{ImageSize: p.image, Width: p.width},
			Text:   TextConfig{Context: 77, Vocab: 49408, Width: p.text, Heads: p.text / headWidth, Layers: 12, Inner: 4 * p.text}}
		if v := &c.Vision; p.patch > 0 {
			v.Patch, v.Layers, v.Inner, v.Heads = p.patch, p.layers[0], 4*p.width, p.width/headWidth
		} else {
			v.Stages, v.Heads = slices.Clone(p.layers), p.width*32/headWidth
		}
		return c, nil
	}
	return Config{}, fmt.Errorf("CLIP model %q: want one of %s", name, strings.Join(PublishedNames(), ", "))
}

const defaultEps = 1e-5

// limit keeps sizes from a file far above any real model's and far below overflow.
const limit = 1 << 20

// ResNet tells CLIP's ResNet from a vision transformer.
func (v VisionConfig) ResNet() bool { return len(v.Stages) > 0 }

// Validate lists everything that is wrong with c.
func (c Config) Validate() error {
	var errs []error
	size := func(name string, v int) {
		if v < 1 || v > limit {
			errs = append(errs, fmt.Errorf("%s is %d, want 1 to %d", name, v, limit))
		}
	}
	multiple := func(name string, v, of int) {
		if of > 0 && v%of != 0 {
			errs = append(errs, fmt.Errorf("%s %d is no multiple of %d", name, v, of))
		}
	}
	v, t := c.Vision, c.Text
	size("embed_dim", c.Embed)
	size("image_size", v.ImageSize)
	size("vision width", v.Width)
	size("vision heads", v.Heads)
	if v.ResNet() {
		if len(v.Stages) != 4 || slices.Min(v.Stages) < 1 || slices.Max(v.Stages) > 1000 {
			errs = append(errs, fmt.Errorf("stages are %v, want four of 1 to 1000 blocks", v.Stages))
		}
		multiple("image_size", v.ImageSize, 32)
		multiple("vision width", v.Width, 2)
		multiple("pooled width", 32*v.Width, v.Heads)
	} else {
		size("vision layers", v.Layers)
		size("patch_size", v.Patch)
		size("vision mlp_width", v.Inner)
		multiple("image_size", v.ImageSize, v.Patch)
		multiple("vision width", v.Width, v.Heads)
	}
	if t != (TextConfig{}) {
		size("context_length", t.Context)
		size("vocab_size", t.Vocab)
		size("text width", t.Width)
		size("text heads", t.Heads)
		size("text layers", t.Layers)
		size("text mlp_width", t.Inner)
		multiple("text width", t.Width, t.Heads)
	}
	if c.Activation != QuickGELU && c.Activation != GELU {
		errs = append(errs, fmt.Errorf("activation is %q, want quickgelu or gelu", c.Activation))
	}
	if !(c.Eps > 0) {
		errs = append(errs, fmt.Errorf("layer_norm_eps is %v, want more than 0", c.Eps))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("CLIP configuration: %w", err)
	}
	return nil
}
