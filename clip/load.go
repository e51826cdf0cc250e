package clip

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/clipcap-go/clipcap/internal/files"
	"github.com/clipcap-go/clipcap/weights"
)

// Layout sees an open file as a CLIP model: its tensors by OpenAI's names, and its configuration. Sizes come from the shapes; what
// shapes cannot give comes from activation where that is not empty, else from the config.json or open_clip_config.json
// beside the file, else from the form of the file, for OpenAI's own are QuickGELU.
func Layout(s *weights.Store, activation Activation) (*weights.Layout, Config, error) {
	l, err := s.Map(Keys)
	if err != nil {
		return nil, Config{}, fmt.Errorf("load CLIP: %w", err)
	}
	c, err := configFor(s, l, activation)
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		return nil, c, fmt.Errorf("load CLIP: %s: %w", s.Path, err)
	}
	return l, c, nil
}

func configFor(s *weights.Store, l *weights.Layout, activation Activation) (Config, error) {
	c, err := configOf(l)
	if err != nil {
		return c, err
	}
	beside, from, err := configBeside(s.Path)
	if err != nil {
		return c, err
	}
	switch {
	case beside != nil:
		if err := c.complete(*beside); err != nil {
			return c, fmt.Errorf("%s is of another model: %w", from, err)
		}
	case isOpenAI(s):
		c.Activation = QuickGELU
	}
	if activation != "" {
		c.Activation = activation
	}
	if c.Activation == "" {
		return c, errors.New("neither the shapes nor a config.json or open_clip_config.json beside the file tell the activation: say --activation quickgelu or --activation gelu (open_clip's models without -quickgelu in their name are gelu)")
	}
	return c, nil
}

// complete takes from a configuration what shapes cannot give, and checks that the sizes agree; 0 is not known.
func (c *Config) complete(o Config) error {
	var errs []error
	for _, v := range []struct {
		name      string
		says, has int
	}{
		{"embed_dim", o.Embed, c.Embed}, {"image size", o.Vision.ImageSize, c.Vision.ImageSize}, {"vision width", o.Vision.Width, c.Vision.Width},
		{"vision layers", o.Vision.Layers, c.Vision.Layers}, {"patch size", o.Vision.Patch, c.Vision.Patch},
	} {
		if v.says != 0 && v.says != v.has {
			errs = append(errs, fmt.Errorf("its %s is %d, the tensors' %d", v.name, v.says, v.has))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	c.Activation = o.Activation
	if o.Eps > 0 {
		c.Eps = o.Eps
	}
	if o.Vision.Heads > 0 {
		c.Vision.Heads = o.Vision.Heads
	}
	if o.Text.Heads > 0 && c.Text.Width > 0 {
		c.Text.Heads = o.Text.Heads
	}
	return nil
}

// configBeside reads the open_clip_config.json or config.json in path, a folder, or beside path, a file, and says which; nil where there
// is none, or one of another kind of model.
func configBeside(path string) (*Config, string, error) {
	dir := path
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		dir = filepath.Dir(path)
	}
	for _, name := range []string{"open_clip_config.json", "config.json"} {
		file := filepath.Join(dir, name)
		text, err := files.ReadAll(file, maxConfig)
		if errors.Is(err, os.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, file, err
		}
		c, err := parseConfig(text)
		if errors.Is(err, errNotCLIP) {
			continue
		} else if err != nil {
			return nil, file, fmt.Errorf("%s: %w", file, err)
		}
		return &c, file, nil
	}
	return nil, "", nil
}

// maxConfig bounds a configuration's file.
const maxConfig = 4 << 20

var errNotCLIP = errors.New("not a configuration of CLIP: no vision_config, vision_cfg or model_cfg")

// parseConfig reads a configuration as Hugging Face, open_clip or [Config] itself writes it. What it does not say is 0.
func parseConfig(text []byte) (Config, error) {
	var file struct {
		openCLIP
		ModelConfig *openCLIP `json:"model_cfg"`
		Vision      *hugging  `json:"vision_config"`
		TextConfig  *hugging  `json:"text_config"`
		Projection  int       `json:"projection_dim"`
	}
	if err := files.Unmarshal(text, &file); err != nil {
		return Config{}, fmt.Errorf("CLIP configuration: %w", err)
	}
	switch {
	case file.Vision != nil:
		return fromHugging(file.Projection, *file.Vision, file.TextConfig)
	case file.ModelConfig != nil:
		return file.ModelConfig.config()
	case file.openCLIP.Vision != nil:
		return file.openCLIP.config()
	}
	return Config{}, errNotCLIP
}
