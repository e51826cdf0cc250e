package checkpoint

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights"
)

// Checkpoint is a trained model in memory.
type Checkpoint struct {
	Path   string
	Config Config
	// Original is set for a file without a configuration of its own: what shapes cannot tell (Normalize,
	// CLIP, GPT2) is not known.
	Original bool
	Mapper   mapping.Mapper
	// LM is the language model in the checkpoint, nil where it holds a mapper alone.
	LM *gpt2.Model
}

// MapperParams are the mapper's weights, named as in the files, "clip_project." in front.
func (c *Checkpoint) MapperParams() (nn.Params, error) { return nn.Collect(mapping.Prefix, c.Mapper) }

// Open reads a checkpoint's folder, or a file of the original, of the mapper alone or whole. lm is the language model's
// configuration for files whose shapes do not tell it: the head count of a size that was never published, or the
// width where an MLP or linear mapper stands alone. It may be nil, and does not matter for a folder.
func Open(path string, lm *gpt2.Config) (*Checkpoint, error) { return OpenTo(nil, nil, path, lm) }

// OpenTo is Open for a model that is only used: the weights of products go to the backends of the mapper and of the language model as
// they are read.
func OpenTo(mapper, language nn.Holder, path string, lm *gpt2.Config) (*Checkpoint, error) {
	c, err := open(mapper, language, path, lm)
	if err != nil {
		return nil, fmt.Errorf("open checkpoint: %w", err)
	}
	return c, nil
}

func open(mapper, language nn.Holder, path string, lm *gpt2.Config) (*Checkpoint, error) {
	c := &Checkpoint{Path: path, Original: true}
	file := path
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		if c.Config, err = readConfig(filepath.Join(path, ConfigFile)); err != nil {
			return nil, err
		}
		file, lm, c.Original = filepath.Join(path, WeightsFile), &c.Config.LM, false
	}
	s, err := weights.Open(file)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return c, c.read(mapper, language, s, lm)
}

// read takes the mapper and, if there is one, the language model out of a file.
func (c *Checkpoint) read(mapper, language nn.Holder, s *weights.Store, lm *gpt2.Config) error {
	l, err := s.Map(gpt2.Keys)
	if err != nil {
		return err
	}
	whole := l.Has("wte.weight")
	dim := 0
	if lm != nil && !whole { // else the file tells it
		dim = lm.Dim
	}
	want := c.Config.Config
	// The mapper first: a weight that is handed on to a backend is in memory twice for a moment, which costs least before the language
	// model is there.
	if c.Mapper, c.Config.Config, err = mapping.FromStoreTo(mapper, s, dim); err != nil {
		return err
	}
	if whole {
		if c.LM, err = gpt2.FromStoreTo(language, s, lm); err != nil {
			return err
		}
		lm = &c.LM.Config
	}
	if !c.Original && c.Config.Config != want {
		return fmt.Errorf("%s: the weights are of mapper %+v, but %s says %+v", s.Path, c.Config.Config, ConfigFile, want)
	}
	if c.Original {
		c.Config.Format = format
		if lm != nil {
			c.Config.LM = *lm
		}
	}
	return nil
}
