package clipcap

import (
	"fmt"

	"github.com/clipcap-go/clipcap/clip"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/nn"
)

// Options say how to open and use a model. The zero value takes everything from the checkpoint and writes the best of
// five beams, as the original.
type Options struct {
	// CLIP is the image encoder: a path, a published name, or "random:" and a configuration. Empty: the one the
	// checkpoint or preset names.
	CLIP string
	// FeaturesOnly leaves the image encoder out.
	FeaturesOnly bool
	// GPT2 is the language model, where the checkpoint holds none; where it holds one, the configuration and
	// vocabulary that belong to it. Empty: the one the checkpoint names, and the published vocabulary.
	GPT2 string
	// Normalize says whether features are divided by their length, for files that do not tell. Nil: what the
	// checkpoint or preset says, else not.
	Normalize *bool
	// Prompt is a text that captions begin with.
	Prompt string
	// Stop is the token that ends a caption: an id, all digits, or a text, whose first token it is. Empty:
	// Decode.Stop.
	Stop string
	// Decode says how words are chosen. The zero value is gpt2.DefaultOptions; to change a part of it, begin with these.
	Decode gpt2.Options
	// Precision is that of CLIP's and the mapper's products; the zero value is float32.
	Precision nn.Precision
	// Device is where everything is computed; the zero Device is the CPU.
	Device nn.Device
	// Weights is the form of the language model's weights, beside activations in float32. The zero value keeps float32, or
	// bfloat16 weights and activations where that is the precision.
	Weights nn.WeightFormat
	// Locate finds the file or folder of a model by its path or published name. Nil: fetch.Locate, which looks on this
	// machine and never downloads.
	Locate func(name string) (string, error)
	// Activation is for CLIP files that do not tell theirs: gelu or quickgelu.
	Activation clip.Activation
	// Seed is of random models; Decode has its own.
	Seed uint64
}

// preset is what a published checkpoint does not say about itself.
type preset struct {
	clip      string
	normalize bool
}

// presets are the original's published models.
var presets = map[string]preset{
	"coco":             {clip: "ViT-B/32"},
	"conceptual":       {clip: "ViT-B/32"},
	"coco-transformer": {clip: "RN50x4", normalize: true},
}

// ParseWeights reads float32, bfloat16 or int8; another name is an error that lists them.
func ParseWeights(name string) (nn.WeightFormat, error) {
	switch name {
	case "float32":
		return nn.WeightsFloat32, nil
	case "bfloat16":
		return nn.WeightsBFloat16, nil
	case "int8":
		return nn.WeightsInt8, nil
	}
	return 0, fmt.Errorf("weights %q: want float32, bfloat16 or int8", name)
}
