package main

import (
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/clipcap-go/clipcap/clip"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights"
)

// openCLIP is a model's configuration in open_clip's form. The text tower is named because the form asks for it; none is written.
type openCLIP struct {
	Model struct {
		Embed  int `json:"embed_dim"`
		Vision struct {
			ImageSize int `json:"image_size"`
			Layers    int `json:"layers"`
			Width     int `json:"width"`
			HeadWidth int `json:"head_width"`
			Patch     int `json:"patch_size"`
			MLPRatio  int `json:"mlp_ratio"`
		} `json:"vision_cfg"`
		Text struct {
			Context int `json:"context_length"`
			Vocab   int `json:"vocab_size"`
			Width   int `json:"width"`
			Heads   int `json:"heads"`
			Layers  int `json:"layers"`
		} `json:"text_cfg"`
	} `json:"model_cfg"`
}

// encoder writes a folder with a vision transformer of random weights in open_clip's format: a picture of 48 by 48 pixels is nine
// patches, and one layer of 64 heads.
//
// The weights CLIP's training starts from (random:CONFIG) would do, at many times the training: the class row is most of what comes
// out then, the same for every picture, and a picture moves a feature by a tenth of its length. Here the class row starts from zero and takes
// all it has from the patches; the query has a random bias, so that each head looks at other places; and patches know where they are.
func encoder(dir string, seed uint64) error {
	var o openCLIP
	v := &o.Model.Vision
	o.Model.Embed, v.ImageSize, v.Layers, v.Width, v.HeadWidth, v.Patch, v.MLPRatio = 1024, 48, 1, 1024, 16, 16, 1
	t := &o.Model.Text
	t.Context, t.Vocab, t.Width, t.Heads, t.Layers = 1, 1, 64, 1, 1
	c := clip.Config{Embed: o.Model.Embed, Activation: clip.GELU, Eps: 1e-5,
		Vision: clip.VisionConfig{ImageSize: v.ImageSize, Layers: v.Layers, Width: v.Width, Heads: v.Width / v.HeadWidth, Patch: v.Patch, Inner: v.MLPRatio * v.Width}}
	m, err := clip.New(c, false)
	if err != nil {
		return err
	}
	params, err := m.Params()
	if err != nil {
		return err
	}
	for _, p := range params {
		start(p, seed)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	text, err := json.MarshalIndent(o, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "open_clip_config.json"), append(text, '\n'), 0o644); err != nil {
		return err
	}
	return weights.WriteFile(filepath.Join(dir, "open_clip_model.safetensors"), func(w io.Writer) error {
		return weights.WriteSafetensors(w, nil, weights.OfParams(params, weights.F32))
	})
}

// start fills a weight of the encoder by its name; new ones are zero, and norms one.
func start(p *nn.Param, seed uint64) {
	width := p.Shape[len(p.Shape)-1]
	fan := 1 // inputs of a product
	for _, n := range p.Shape[min(1, len(p.Shape)):] {
		fan *= n
	}
	root := 1 / math.Sqrt(float64(fan))
	has := func(part string) bool { return strings.Contains(p.Name, part) }
	switch {
	case has("ln_"), has("class_embedding"):
	case has("positional_embedding"):
		p.Normal(seed, 0.35)
		clear(p.Data[:width]) // the class row's
	case has("in_proj_bias"):
		p.Normal(seed, 1)
		clear(p.Data[len(p.Data)/3:]) // the keys' and the values'
	case has("bias"):
	case has("c_proj.weight"):
		p.Normal(seed, 0.3*root)
	default:
		p.Normal(seed, root)
	}
}
