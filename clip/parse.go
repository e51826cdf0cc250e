package clip

import (
	"encoding/json"
	"errors"
	"fmt"
)

// hugging is one tower in Hugging Face's config.json.
type hugging struct {
	Width   int     `json:"hidden_size"`
	Inner   int     `json:"intermediate_size"`
	Layers  int     `json:"num_hidden_layers"`
	Heads   int     `json:"num_attention_heads"`
	Patch   int     `json:"patch_size"`
	Image   int     `json:"image_size"`
	Context int     `json:"max_position_embeddings"`
	Vocab   int     `json:"vocab_size"`
	Act     string  `json:"hidden_act"`
	Eps     float32 `json:"layer_norm_eps"`
}

func fromHugging(projection int, v hugging, t *hugging) (Config, error) {
	c := Config{Embed: projection, Eps: v.Eps, Vision: VisionConfig{ImageSize: v.Image, Width: v.Width, Heads: v.Heads, Layers: v.Layers, Patch: v.Patch, Inner: v.Inner}}
	var err error
	// transformers leaves out what has CLIP's own value.
	if c.Activation, err = activationOf(v.Act); err != nil {
		return c, fmt.Errorf("vision_config: %w", err)
	}
	if t != nil {
		c.Text = TextConfig{Context: t.Context, Vocab: t.Vocab, Width: t.Width, Heads: t.Heads, Layers: t.Layers, Inner: t.Inner}
		if a, err := activationOf(t.Act); err != nil || a != c.Activation {
			return c, errors.Join(fmt.Errorf("text_config: hidden_act %q, the image tower's is %q", t.Act, v.Act), err)
		}
	}
	return c, nil
}

// activationOf reads Hugging Face's name of an activation.
func activationOf(name string) (Activation, error) {
	switch name {
	case "", "quick_gelu":
		return QuickGELU, nil
	case "gelu":
		return GELU, nil
	}
	return "", fmt.Errorf("hidden_act is %q, want quick_gelu or gelu", name)
}

// openCLIP is open_clip's model configuration, or our own, which adds the activation by name.
type openCLIP struct {
	Embed     int         `json:"embed_dim"`
	QuickGELU bool        `json:"quick_gelu"`
	Act       Activation  `json:"activation"`
	Eps       float32     `json:"layer_norm_eps"`
	Vision    *openVision `json:"vision_cfg"`
	Text      struct {
		TextConfig
		Ratio float64 `json:"mlp_ratio"`
	} `json:"text_cfg"`
}

type openVision struct {
	Image     int             `json:"image_size"`
	Width     int             `json:"width"`
	Heads     int             `json:"heads"`
	HeadWidth int             `json:"head_width"`
	Layers    json.RawMessage `json:"layers"` // a number, or the ResNet's four
	Stages    []int           `json:"stages"`
	Patch     int             `json:"patch_size"`
	Inner     int             `json:"mlp_width"`
	Ratio     float64         `json:"mlp_ratio"`
}

func (o openCLIP) config() (Config, error) {
	c := Config{Embed: o.Embed, Activation: o.Act, Eps: o.Eps, Text: o.Text.TextConfig}
	if c.Activation == "" {
		if c.Activation = GELU; o.QuickGELU {
			c.Activation = QuickGELU
		}
	}
	if o.Vision == nil {
		return c, errors.New("no vision_cfg")
	}
	v := o.Vision
	c.Vision = VisionConfig{ImageSize: v.Image, Width: v.Width, Heads: v.Heads, Patch: v.Patch, Inner: v.Inner, Stages: v.Stages}
	if len(v.Layers) > 0 && json.Unmarshal(v.Layers, &c.Vision.Layers) != nil {
		if err := json.Unmarshal(v.Layers, &c.Vision.Stages); err != nil {
			return c, fmt.Errorf("vision_cfg: layers %s: want a number or a list of four", v.Layers)
		}
	}
	if v.HeadWidth > 0 {
		c.Vision.Heads = v.Width / v.HeadWidth
	}
	fill(&c.Vision, v.Ratio)
	if t := &c.Text; t.Inner == 0 {
		t.Inner = widened(t.Width, o.Text.Ratio)
	}
	return c, nil
}

// fill computes what open_clip's files leave to their defaults.
func fill(v *VisionConfig, ratio float64) {
	if v.ResNet() {
		v.Layers, v.Patch = 0, 0
		if v.Heads == 0 || v.Heads == v.Width/headWidth {
			v.Heads = v.Width * 32 / headWidth
		}
		return
	}
	if v.Heads == 0 {
		v.Heads = v.Width / headWidth
	}
	if v.Inner == 0 {
		v.Inner = widened(v.Width, ratio)
	}
}

// widened is the width of an MLP.
func widened(width int, ratio float64) int {
	if ratio == 0 {
		ratio = 4
	}
	return int(float64(width) * ratio)
}
