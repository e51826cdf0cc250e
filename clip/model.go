package clip

import (
	"fmt"

	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/nn"
)

// Model is CLIP: an image encoder, of which there are two kinds, and a text encoder. The weight names are those of
// OpenAI's files.
type Model struct {
	Config Config
	ViT    *ViT       `weight:"visual"` // nil where ResNet is there
	ResNet *ResNet    `weight:"visual"` // nil where ViT is there
	Text   *TextTower `weight:""`       // nil: images only
}

// New makes a model with zero weights and unit norms; without a text encoder where text is false. A configuration that Validate refuses, or
// that has no text encoder where one is asked for, is an error. Init gives the weights their numbers, and graphs come after it.
func New(c Config, text bool) (*Model, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	m := &Model{Config: c}
	if c.Vision.ResNet() {
		m.ResNet = newResNet(c)
	} else {
		m.ViT = newViT(c)
	}
	if text {
		if c.Text.Width == 0 {
			return nil, fmt.Errorf("clip configuration: no text_cfg, so there is no text encoder")
		}
		m.Text = newTextTower(c)
	}
	return m, nil
}

func (c Config) activation() nn.Activation {
	if c.Activation == QuickGELU {
		return nn.QuickGELUAct
	}
	return nn.GELUErfAct
}

// Params names the weights as OpenAI's files do, and lists them.
func (m *Model) Params() (nn.Params, error) { return nn.Collect("", m) }

// ready is called once the weights have their numbers. Graphs can be built then, and the weights no longer changed. What
// is made of weights goes to a backend at once where there is one.
func (m *Model) ready(to nn.Holder) {
	if m.ViT != nil {
		m.ViT.ready()
	} else {
		m.ResNet.ready(to)
	}
	if m.Text != nil {
		m.Text.Layers.last()
	}
	if to != nil {
		m.hand(to)
	}
}

// pixelRows is the shape of one image's pixels in the input of Forward.
func (v VisionConfig) pixelRows() (rows, cols int) {
	if v.ResNet() {
		return v.ImageSize * v.ImageSize, 3
	}
	return v.grid() * v.grid(), 3 * v.Patch * v.Patch
}

// grid is how many patches lie along a side, or how many pixels the last feature map of a ResNet has there.
func (v VisionConfig) grid() int {
	if v.ResNet() {
		return v.ImageSize / 32
	}
	return v.ImageSize / v.Patch
}

// outWidth is the number of channels in front of the pooling.
func (v VisionConfig) outWidth() int {
	if v.ResNet() {
		return 32 * v.Width
	}
	return v.Width
}

// Forward maps pixels to features [images, embed]. For a ResNet pixels are [images·size², 3], row by row; for a vision transformer
// [images·patches, 3·patch²], a row the three planes of a patch.
func (m *Model) Forward(pixels *G.Node) *G.Node {
	if m.ViT != nil {
		return m.ViT.Forward(pixels)
	}
	return m.ResNet.Forward(pixels)
}
