package clip

import (
	"strings"

	"github.com/clipcap-go/clipcap/weights"
)

// Keys is the key map of CLIP. Parameters have OpenAI's names: open_clip's are the same, with the text tower under "text." in some files,
// and Hugging Face's are translated: queries, keys and values, three matrices there, are one here, and the projections are
// transposed.
func Keys(name string) (weights.Place, bool) {
	switch name {
	case "input_resolution", "context_length", "vocab_size": // OpenAI's own record of the sizes, in fewer digits than the shapes
		return weights.Place{}, true
	case "visual_projection.weight":
		return weights.Place{Param: "visual.proj", Transpose: true}, true
	case "text_projection.weight", "text.text_projection.weight":
		return weights.Place{Param: "text_projection", Transpose: true}, true
	}
	if strings.HasSuffix(name, ".num_batches_tracked") || strings.HasSuffix(name, ".position_ids") || strings.HasSuffix(name, "attn_mask") {
		return weights.Place{}, true
	}
	if rest, ok := strings.CutPrefix(name, "vision_model."); ok {
		return huggingFace(rest, visionNames, "visual.")
	}
	if rest, ok := strings.CutPrefix(name, "text_model."); ok {
		return huggingFace(rest, textNames, "")
	}
	name = strings.TrimPrefix(name, "text.")
	switch first, _, _ := strings.Cut(name, "."); first {
	case "visual", "transformer", "token_embedding", "positional_embedding", "ln_final", "text_projection", "logit_scale":
		return weights.Place{Param: name}, true
	}
	return weights.Place{}, false
}

// visionNames, textNames and layerNames translate what stands in front of Hugging Face's names.
var (
	visionNames = [][2]string{
		{"embeddings.class_embedding", "class_embedding"}, {"embeddings.patch_embedding", "conv1"}, {"embeddings.position_embedding.weight", "positional_embedding"},
		{"pre_layrnorm", "ln_pre"}, {"post_layernorm", "ln_post"},
	}
	textNames = [][2]string{
		{"embeddings.token_embedding", "token_embedding"}, {"embeddings.position_embedding.weight", "positional_embedding"}, {"final_layer_norm", "ln_final"},
	}
	layerNames = [][2]string{
		{"layer_norm1", "ln_1"}, {"layer_norm2", "ln_2"}, {"mlp.fc1", "mlp.c_fc"}, {"mlp.fc2", "mlp.c_proj"}, {"self_attn.out_proj", "attn.out_proj"},
	}
)

// huggingFace translates a name inside one tower; tower stands in front of OpenAI's name.
func huggingFace(name string, names [][2]string, tower string) (weights.Place, bool) {
	layer, ok := strings.CutPrefix(name, "encoder.layers.")
	if !ok {
		ours, ok := translate(name, names)
		return weights.Place{Param: tower + ours}, ok
	}
	number, rest, _ := strings.Cut(layer, ".")
	tower += "transformer.resblocks." + number + "."
	for part, which := range []string{"q", "k", "v"} {
		if kind, ok := strings.CutPrefix(rest, "self_attn."+which+"_proj."); ok && (kind == "weight" || kind == "bias") {
			return weights.Place{Param: tower + "attn.in_proj_" + kind, Part: part, Parts: 3}, true
		}
	}
	ours, ok := translate(rest, layerNames)
	return weights.Place{Param: tower + ours}, ok
}

// translate replaces the beginning of a name, up to a dot or all of it.
func translate(name string, names [][2]string) (string, bool) {
	for _, n := range names {
		if rest, ok := strings.CutPrefix(name, n[0]); ok && (rest == "" || rest[0] == '.') {
			return n[1] + rest, true
		}
	}
	return "", false
}
