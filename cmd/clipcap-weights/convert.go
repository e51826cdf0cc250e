package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/clipcap-go/clipcap/clip"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/internal/cli"
	"github.com/clipcap-go/clipcap/weights"
)

var convert = &cli.Command{
	Name: "convert", Args: "FILE OUT", About: `write a file of tensors in another format
OUT says which: .safetensors; .pt, .pth or .bin for PyTorch (torch.load reads it, weights_only=True too); .npy for one tensor,
such as the features of a pickle. A checkpoint written to .pt runs in the original's code; one that holds the mapper alone needs
--gpt2 for that, and the original's own version of transformers (4.11) needs --masks.`,
	Example: "clipcap-weights convert coco_prefix-009.pt model.safetensors --dtype f16",
	Setup: func(f *flag.FlagSet) cli.Work {
		var c conversion
		f.StringVar(&c.dtype, "dtype", "", "`TYPE` of floating-point numbers in OUT: f32, f16, bf16 or f64 (default: each as it is)")
		f.StringVar(&c.names, "names", "file", "`WHOSE` names: file, as in FILE, or model, as this project's models have them (OpenAI's for CLIP)")
		f.StringVar(&c.tensor, "tensor", "", "`NAME` of the only tensor to write")
		f.StringVar(&c.gpt2, "gpt2", "", "`FILE` or folder of the language model to add to a checkpoint that holds the mapper alone")
		f.BoolVar(&c.masks, "masks", false, "add the causal masks of GPT-2 that older versions of transformers want")
		overwrite := f.Bool("overwrite", false, "replace OUT where it exists")
		return func(ctx context.Context, args []string, _, _ io.Writer) error {
			if len(args) != 2 {
				return cli.Misusef("convert: %d arguments, want FILE and OUT", len(args))
			}
			if _, err := os.Stat(args[1]); err == nil && !*overwrite {
				return fmt.Errorf("%s exists; --overwrite replaces it", args[1])
			}
			return cli.Interrupted(c.run(ctx, args[0], args[1]), "; nothing was written")
		}
	},
}

// conversion is what convert was told.
type conversion struct {
	dtype, names, tensor, gpt2 string
	masks                      bool
	to                         weights.DType // 0: as it is
}

func (c *conversion) run(ctx context.Context, from, out string) error {
	write, err := writerFor(out)
	if err != nil {
		return err
	}
	if c.dtype != "" {
		if c.to, err = weights.ParseDType(strings.ToUpper(c.dtype)); err != nil || !c.to.Float() {
			return cli.Misusef("--dtype %s: want f32, f16, bf16 or f64", c.dtype)
		}
	}
	s, err := weights.Open(from)
	if err != nil {
		return err
	}
	defer s.Close()
	items, err := c.items(s)
	if err != nil {
		return err
	}
	if c.gpt2 != "" {
		lm, err := weights.Open(c.gpt2)
		if err != nil {
			return fmt.Errorf("--gpt2: %w", err)
		}
		defer lm.Close()
		if items, err = c.addLM(items, lm); err != nil {
			return err
		}
	}
	if items, err = c.addDerived(items, strings.ToLower(filepath.Ext(out)) != ".safetensors"); err != nil {
		return err
	}
	return weights.WriteFile(out, func(w io.Writer) error { return write(untilDone{ctx, w}, s, items) })
}

// untilDone is a writer that fails once its context has ended, so that an interrupt leaves no temporary file.
type untilDone struct {
	ctx context.Context
	to  io.Writer
}

// Write passes on what it gets.
func (w untilDone) Write(b []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.to.Write(b)
}

// writerFor chooses a format by a file's name.
func writerFor(path string) (func(w io.Writer, s *weights.Store, items []weights.Item) error, error) {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".safetensors":
		return func(w io.Writer, s *weights.Store, items []weights.Item) error {
			meta := s.Metadata
			if meta == nil {
				meta = map[string]string{"format": "pt"}
			}
			return weights.WriteSafetensors(w, meta, items)
		}, nil
	case ".pt", ".pth", ".bin":
		return func(w io.Writer, _ *weights.Store, items []weights.Item) error { return weights.WriteTorch(w, items) }, nil
	case ".npy":
		return func(w io.Writer, _ *weights.Store, items []weights.Item) error {
			if len(items) != 1 {
				return fmt.Errorf("a .npy file holds one tensor, not %d: choose one with --tensor", len(items))
			}
			return weights.WriteNPY(w, items[0])
		}, nil
	}
	return nil, cli.Misusef("convert: %s: want a name that ends in .safetensors, .pt, .pth, .bin or .npy", path)
}

// items are what FILE has to write, under the names asked for.
func (c *conversion) items(s *weights.Store) ([]weights.Item, error) {
	if c.names == "model" {
		keys := clip.Keys
		if kind, _, _ := identify(s); kind == kindGPT2 {
			keys = gpt2.Keys
		} else if kind != kindCLIP {
			return nil, fmt.Errorf("--names model: %s holds %s, want CLIP or GPT-2", s.Path, kind)
		}
		l, err := s.Map(keys)
		if err != nil {
			return nil, err
		}
		return l.Items(c.to)
	} else if c.names != "file" {
		return nil, cli.Misusef("--names %s: want file or model", c.names)
	}
	tensors := s.Tensors()
	if c.tensor != "" {
		t := s.Tensor(c.tensor)
		if t == nil {
			return nil, fmt.Errorf("--tensor: %s has no tensor %q", s.Path, c.tensor)
		}
		tensors = []*weights.Tensor{t}
	}
	return weights.CopyAll(tensors, c.to)
}
