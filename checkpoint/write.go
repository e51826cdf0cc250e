package checkpoint

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights"
)

// Write writes a checkpoint's files into an existing folder, each whole or not at all: the mapper's parameters, named as Open's
// MapperParams are, and lm's, under "gpt.transformer.", or none where the language model was not trained.
func Write(dir string, c Config, mapper, lm nn.Params) error {
	c.Format = format
	if err := c.Validate(); err != nil {
		return fmt.Errorf("write checkpoint %s: %w", dir, err)
	}
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("write checkpoint %s: %w", dir, err)
	}
	items := append(weights.OfParams(mapper, weights.F32), weights.OfParams(lm, weights.F32)...)
	err = weights.WriteFile(filepath.Join(dir, WeightsFile), func(w io.Writer) error {
		return weights.WriteSafetensors(w, map[string]string{"format": "pt"}, items)
	})
	if err == nil {
		err = weights.WriteFile(filepath.Join(dir, ConfigFile), func(w io.Writer) error {
			_, err := w.Write(append(text, '\n'))
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	return nil
}

// WriteOriginal writes what the original's training saves, a .pt file that its predict.py opens: the mapper, the whole language model with
// its masks, and the head, which shares the token table's numbers.
func WriteOriginal(w io.Writer, mapper, lm nn.Params, c gpt2.Config) error {
	const prefix = "gpt.transformer."
	items := weights.OfParams(mapper, weights.F32)
	var head weights.Item
	for _, e := range weights.OfParams(lm, weights.F32) {
		items = append(items, e)
		if e.Name == prefix+"wte.weight" {
			head = weights.Alias("gpt.lm_head.weight", e)
		}
	}
	if head.Name == "" {
		return fmt.Errorf("write the original's file: no %swte.weight among the language model's parameters", prefix)
	}
	for i := range c.Layers {
		at := fmt.Sprintf("%sh.%d.attn.", prefix, i)
		items = append(items,
			weights.Raw(at+"bias", weights.U8, []int{1, 1, c.Positions, c.Positions}, func(w io.Writer) error { return writeMask(w, c.Positions) }),
			weights.Floats(at+"masked_bias", []int{}, []float32{-1e4}, weights.F32))
	}
	return weights.WriteTorch(w, append(items, head))
}

// writeMask writes the causal mask, ones at and below the diagonal.
func writeMask(w io.Writer, n int) error {
	row := make([]byte, n)
	for i := range n {
		row[i] = 1
		if _, err := w.Write(row); err != nil {
			return err
		}
	}
	return nil
}

// Export writes a checkpoint as the original's .pt file; lm is the language model to put beside a mapper that stands alone.
func (c *Checkpoint) Export(path string, lm *gpt2.Model) error {
	if c.LM != nil {
		lm = c.LM
	}
	if lm == nil {
		return fmt.Errorf("export %s: it holds a mapper alone; the original's file needs the language model too (--gpt2)", c.Path)
	}
	mapper, err := c.MapperParams()
	if err != nil {
		return err
	}
	named, err := lm.Params("gpt.transformer")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return weights.WriteFile(path, func(w io.Writer) error { return WriteOriginal(w, mapper, named, lm.Config) })
}
