package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/clip"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/weights"
)

// The kinds of file that inspect tells apart.
const (
	kindCheckpoint = "clipcap"
	kindGPT2       = "gpt2"
	kindCLIP       = "clip"
	kindFeatures   = "features"
	kindTokens     = "token cache"
	kindTensors    = "tensors" // anything else
)

// identify tells what a file is to this project, with the configuration its shapes and the files beside it give. Notes say what is not
// known, or need not be.
func identify(s *weights.Store) (kind string, config any, notes []string) {
	has := func(prefix string) bool {
		for _, t := range s.Tensors() {
			name := strings.TrimPrefix(t.Name, "state_dict.")
			if strings.HasPrefix(strings.TrimPrefix(name, "module."), prefix) {
				return true
			}
		}
		return false
	}
	var err error
	switch {
	case has(mapping.Prefix + "."):
		kind = kindCheckpoint
		config, notes, err = checkpointConfig(s)
	case has("wte.") || has("transformer.wte."):
		kind = kindGPT2
		config, err = gpt2Config(s)
	case has("visual.") || has("vision_model."):
		kind = kindCLIP
		_, config, err = clip.Layout(s, "")
	case weights.TokenCache(s):
		return kindTokens, none, []string{"a token cache of the original's training: not needed, captions are turned into tokens afresh"}
	case isFeatures(s):
		return kindFeatures, featureConfig(s), nil
	default:
		return kindTensors, none, nil
	}
	if err != nil {
		notes = append(notes, strings.TrimPrefix(strings.TrimPrefix(err.Error(), "load CLIP: "), s.Path+": "))
	}
	return kind, withoutZeros(config), notes
}

var none = struct{}{}

// checkpointConfig is the mapper's configuration, and the language model's where it is in the file.
func checkpointConfig(s *weights.Store) (config any, notes []string, err error) {
	if c, err := checkpoint.ReadConfig(s.Dir()); err == nil {
		return c, nil, nil
	}
	l, err := s.Map(mapping.Keys)
	if err != nil {
		return none, nil, err
	}
	c := struct {
		mapping.Config
		LM any `json:"gpt2_config,omitempty"`
	}{}
	if c.Config, err = mapping.ConfigOf(l, 0); err != nil {
		return c, nil, err
	}
	if s.Tensor("gpt.transformer.wte.weight") != nil {
		var lm any
		if lm, err = gpt2Config(s); err != nil {
			notes = append(notes, err.Error())
		}
		c.LM = withoutZeros(lm)
	}
	return c, append(notes, "a file without a configuration: it does not say which CLIP model its features came from, nor whether they were normalised"), nil
}

// gpt2Config is a language model's configuration by the config.json beside the file, or by shapes.
func gpt2Config(s *weights.Store) (any, error) {
	if c, err := gpt2.ConfigBeside(s.Path); err == nil && c != nil {
		return *c, nil
	}
	l, err := s.Map(gpt2.Keys)
	if err != nil {
		return none, err
	}
	return gpt2.ConfigOf(l)
}

// withoutZeros is a configuration without the numbers that are not known.
func withoutZeros(config any) any {
	text, err := json.Marshal(config)
	if err != nil {
		return none
	}
	var members map[string]any
	if json.Unmarshal(text, &members) != nil {
		return none
	}
	for _, name := range []string{"n_inner", "n_head", "embedding_size", "prefix_length", "clip_length", "num_layers", "activation"} {
		if v := members[name]; v == 0.0 || v == "" {
			delete(members, name)
		}
	}
	return members
}

// isFeatures tells a matrix of features: an array, or a pickle of the original's.
func isFeatures(s *weights.Store) bool {
	if d, ok := s.Object.(*weights.Dict); ok {
		_, captions := d.Get("captions")
		return captions && s.Tensor("clip_embedding") != nil
	}
	return s.Container == weights.NPY && len(s.Tensors()[0].Shape) == 2
}

// featureConfig says how many features there are, and captions with them.
func featureConfig(s *weights.Store) any {
	t := s.Tensors()[0]
	if s.Object != nil {
		t = s.Tensor("clip_embedding")
	}
	config := map[string]any{"dtype": t.DType.String()}
	if len(t.Shape) == 2 {
		config["rows"], config["dim"] = t.Shape[0], t.Shape[1]
	}
	if d, ok := s.Object.(*weights.Dict); ok {
		if v, _ := d.Get("captions"); v != nil {
			if list, ok := v.(*weights.List); ok {
				config["captions"] = len(list.Items)
			}
		}
	}
	return config
}

// configText is a configuration on one line for people.
func configText(config any) string {
	text, err := json.Marshal(config)
	if err != nil || string(text) == "{}" {
		return ""
	}
	return fmt.Sprintf("configuration %s\n", text)
}
