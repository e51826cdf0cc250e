package main

import (
	"flag"
	"maps"
	"slices"

	"github.com/clipcap-go/clipcap/internal/cli"
)

// recipe is a row of the paper's tables as flags; what is given on the command line, or by --config, wins.
type recipe map[string]string

// paper is what all rows have in common: features of RN50x4 (640 numbers), normalised, prefixes of 10 rows, 10 epochs of batches of 40,
// and captions that end in a period, without which the model does not learn to stop.
func paper(more recipe) recipe {
	r := recipe{"normalize": "true", "add-period": "true", "prefix-length": "10", "clip-length": "10", "layers": "8", "epochs": "10", "batch-size": "40", "lr": "2e-5", "warmup": "5000"}
	maps.Copy(r, more)
	return r
}

// recipes are documented, with data and expected scores, in docs/training.md.
var recipes = map[string]recipe{
	"coco-transformer-frozen":       paper(recipe{"mapper": "transformer", "frozen-lm": "true"}),
	"coco-mlp-tuned":                paper(recipe{"mapper": "mlp"}),
	"coco-transformer-tuned":        paper(recipe{"mapper": "transformer"}),
	"coco-mlp-frozen":               paper(recipe{"mapper": "mlp", "frozen-lm": "true"}),
	"conceptual-mlp-tuned":          paper(recipe{"mapper": "mlp", "dataset": "conceptual"}),
	"conceptual-transformer-frozen": paper(recipe{"mapper": "transformer", "frozen-lm": "true", "dataset": "conceptual"}),
	// For a few thousand captions of one's own: the original's warm-up of 5000 steps would never end.
	"small": {"mapper": "transformer", "frozen-lm": "true", "normalize": "true", "add-period": "true", "warmup": "auto", "epochs": "20", "keep-best": "loss", "patience": "3"},
}

func recipeNames() []string { return slices.Sorted(maps.Keys(recipes)) }

// recipeFlags sets what the recipe says and neither the command line nor --config does.
func (o *options) recipeFlags(f *flag.FlagSet) error {
	if o.recipe == "" {
		return nil
	}
	r, ok := recipes[o.recipe]
	if !ok {
		return cli.Misusef("--recipe %q: want one of %q", o.recipe, recipeNames())
	}
	for _, name := range slices.Sorted(maps.Keys(r)) {
		if o.given[name] || (name == "keep-best" || name == "patience") && !o.validates() {
			continue
		}
		if o.init != "" && (name == "mapper" || name == "prefix-length" || name == "clip-length" || name == "layers") {
			continue // the checkpoint says
		}
		if err := f.Set(name, r[name]); err != nil {
			return err
		}
	}
	return nil
}
