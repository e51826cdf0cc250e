package clip

import (
	"errors"
	"fmt"
	"math"

	"github.com/clipcap-go/clipcap/weights"
)

// configOf tells the configuration from the shapes in a file, seen through Keys. Heads are 64 wide as in all of OpenAI's models. The
// activation does not show in a shape: it is left empty.
func configOf(l *weights.Layout) (Config, error) {
	c := Config{Eps: defaultEps}
	var err error
	if c.Vision, c.Embed, err = visionOf(l); err != nil {
		return c, err
	}
	c.Text = textOf(l)
	return c, nil
}

// visionOf tells the image tower: as the original does, by the projection that only the vision transformer has.
func visionOf(l *weights.Layout) (v VisionConfig, embed int, err error) {
	const blocks = "visual.transformer.resblocks."
	switch {
	case l.Has("visual.class_embedding"):
		embed = l.Dim("visual.proj", 1)
		v.Width, v.Patch = l.Dim("visual.conv1.weight", 0), l.Dim("visual.conv1.weight", 3)
		v.Layers, v.Inner = l.Count(blocks, ".ln_1.weight"), l.Dim(blocks+"0.mlp.c_fc.weight", 0)
		v.ImageSize = v.Patch * side(l.Dim("visual.positional_embedding", 0))
		v.Heads = v.Width / headWidth
		if embed == 0 { // no projection: the class token as it is
			return v, 0, errors.New("no visual.proj: an image tower without a projection is not CLIP")
		}
	case l.Has("visual.layer1.0.conv1.weight"):
		embed = l.Dim("visual.attnpool.c_proj.weight", 0)
		v.Width = l.Dim("visual.layer1.0.conv1.weight", 0)
		for stage := 1; stage <= 4; stage++ {
			v.Stages = append(v.Stages, l.Count(fmt.Sprintf("visual.layer%d.", stage), ".conv1.weight"))
		}
		v.ImageSize = 32 * side(l.Dim("visual.attnpool.positional_embedding", 0))
		v.Heads = v.Width * 32 / headWidth
	default:
		return v, 0, errors.New("no image tower (visual.class_embedding or visual.layer1): not a CLIP model")
	}
	return v, embed, nil
}

// side is the side of the square of which positions has one row for each place and one for the whole.
func side(positions int) int { return int(math.Round(math.Sqrt(float64(max(0, positions-1))))) }

func textOf(l *weights.Layout) TextConfig {
	const blocks = "transformer.resblocks."
	t := TextConfig{Context: l.Dim("positional_embedding", 0), Vocab: l.Dim("token_embedding.weight", 0), Width: l.Dim("token_embedding.weight", 1),
		Layers: l.Count(blocks, ".ln_1.weight"), Inner: l.Dim(blocks+"0.mlp.c_fc.weight", 0)}
	t.Heads = t.Width / headWidth
	return t
}

// isOpenAI tells whether a file is in the form OpenAI published: a TorchScript archive, or a state dict that kept that form's record of
// its sizes or its split of types, half precision in the products and single precision in the tables and norms.
func isOpenAI(s *weights.Store) bool {
	if s.Container == weights.TorchScript || s.Tensor("input_resolution") != nil {
		return true
	}
	product, table := s.Tensor("visual.conv1.weight"), s.Tensor("token_embedding.weight")
	return product != nil && table != nil && product.DType == weights.F16 && table.DType == weights.F32
}
