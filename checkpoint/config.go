// Package checkpoint reads and writes trained captioning models: a mapper, and the language model where it was
// trained as well.
//
// A checkpoint is a folder: config.json (Config) says everything that is needed to use the model, and
// model.safetensors holds the weights under the original's names, "clip_project." and, where the language model was
// trained, "gpt.transformer.". The original's .pt files open wherever a folder does; they hold no
// configuration, so the shapes tell it.
package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/internal/files"
	"github.com/clipcap-go/clipcap/mapping"
)

// The files of a checkpoint.
const (
	ConfigFile  = "config.json"
	WeightsFile = "model.safetensors"
)

// format is the version of the folder's layout.
const format = 1

// Config is a checkpoint's config.json.
type Config struct {
	Format int `json:"clipcap_format"` // 1; Write sets it
	mapping.Config
	// Normalize divides features by their length before the mapper sees them.
	Normalize bool `json:"normalize"`
	// CLIP is the image encoder the features came from.
	CLIP Source `json:"clip"`
	// GPT2 is the language model training started from, and the one to use where the checkpoint holds none.
	GPT2 Source `json:"gpt2"`
	// LM is the language model's configuration.
	LM gpt2.Config `json:"gpt2_config"`
	// Training is what the trainer wants to tell about the run.
	Training json.RawMessage `json:"training,omitempty"`
}

// Source names a model: a published name or a path, and the SHA-256 of its file in hexadecimal.
type Source struct {
	Name   string `json:"name,omitempty"`
	SHA256 string `json:"sha256,omitempty"`
}

// String is the name, or what is said where there is none.
func (s Source) String() string {
	if s.Name == "" {
		return "of unknown name"
	}
	return s.Name
}

// maxConfig bounds a config.json.
const maxConfig = 4 << 20

// ReadConfig reads the config.json in a checkpoint's folder.
func ReadConfig(dir string) (Config, error) {
	c, err := readConfig(filepath.Join(dir, ConfigFile))
	if err != nil {
		return Config{}, fmt.Errorf("open checkpoint: %w", err)
	}
	return c, nil
}

func readConfig(path string) (Config, error) {
	var c Config
	text, err := files.ReadAll(path, maxConfig)
	if err != nil {
		return c, err
	}
	if c, err = parseConfig(text); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// parseConfig reads the text of a config.json.
func parseConfig(text []byte) (c Config, err error) {
	if err = files.Unmarshal(text, &c); err == nil {
		err = c.Validate()
	}
	return c, err
}

// Validate tells what is wrong with c.
func (c Config) Validate() error {
	if c.Format != format {
		return fmt.Errorf("clipcap_format is %d, want %d: not a checkpoint of this program, or one of a newer version", c.Format, format)
	}
	if err := errors.Join(c.Config.Validate(), c.LM.Validate()); err != nil {
		return err
	}
	if c.LM.Dim != c.Dim {
		return fmt.Errorf("the mapper's embedding_size is %d, but the language model's n_embd is %d", c.Dim, c.LM.Dim)
	}
	return nil
}
