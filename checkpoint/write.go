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

// lmPrefix stands in front of the language model's weights in a checkpoint.
const lmPrefix = "gpt.transformer"

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
	items := weights.OfParams(mapper, weights.F32)
	var head weights.Item
	for _, e := range weights.OfParams(lm, weights.F32) {
		items = append(items, e)
		if e.Name == lmPrefix+".wte.weight" {
			head = weights.Alias("gpt.lm_head.weight", e)
		}
	}
	if head.Name == "" {
		return fmt.Errorf("write the original's file: no %s.wte.weight among the language model's parameters", lmPrefix)
	}
	for i := range c.Layers {
		items = append(items, Masks(i, c.Positions)...)
	}
	return weights.WriteTorch(w, append(items, head))
}

// Masks are the causal mask of a layer of GPT-2 with so many positions, and what it puts in the place of masked scores: no weights, but
// the original's transformers 4.11 wants them in a file.
func Masks(layer, positions int) []weights.Item {
	attn := fmt.Sprintf("%s.h.%d.attn.", lmPrefix, layer)
	return []weights.Item{
		weights.Raw(attn+"bias", weights.U8, []int{1, 1, positions, positions}, func(w io.Writer) error { return writeMask(w, positions) }),
		weights.Floats(attn+"masked_bias", []int{}, []float32{-1e4}, weights.F32),
	}
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
	named, err := lm.Params(lmPrefix)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return weights.WriteFile(path, func(w io.Writer) error { return WriteOriginal(w, mapper, named, lm.Config) })
}
