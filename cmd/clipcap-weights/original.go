package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/weights"
)

// lmName stands in front of the language model's weights in a checkpoint.
const lmName = "gpt.transformer."

// find is the item of a name, or nil.
func find(items []weights.Item, name string) *weights.Item {
	if i := slices.IndexFunc(items, func(e weights.Item) bool { return e.Name == name }); i >= 0 {
		return &items[i]
	}
	return nil
}

// addLM adds a language model to a mapper.
func (c *conversion) addLM(items []weights.Item, lm *weights.Store) ([]weights.Item, error) {
	mapper := slices.ContainsFunc(items, func(e weights.Item) bool { return strings.HasPrefix(e.Name, mapping.Prefix+".") })
	if !mapper || find(items, lmName+"wte.weight") != nil {
		return nil, fmt.Errorf("--gpt2: the file is not a mapper alone, so there is nothing to add")
	}
	l, err := lm.Map(gpt2.Keys)
	if err != nil {
		return nil, fmt.Errorf("--gpt2: %w", err)
	}
	own, err := l.Items(c.to)
	if err != nil {
		return nil, fmt.Errorf("--gpt2: %w", err)
	}
	if find(own, "wte.weight") == nil {
		return nil, fmt.Errorf("--gpt2: %s is not a GPT-2: it has no wte.weight", lm.Path)
	}
	for _, e := range own {
		if e.Name != "lm_head.weight" {
			e.Name = lmName + e.Name
			items = append(items, e)
		}
	}
	return items, nil
}

// addDerived adds the masks if they are wanted, and to a PyTorch file the head, which shares the token table.
func (c *conversion) addDerived(items []weights.Item, head bool) ([]weights.Item, error) {
	if table := find(items, lmName+"wte.weight"); head && table != nil && find(items, "gpt.lm_head.weight") == nil {
		items = append(items, weights.Alias("gpt.lm_head.weight", *table))
	}
	if !c.masks {
		return items, nil
	}
	positions := find(items, lmName+"wpe.weight")
	if positions == nil || len(positions.Shape) != 2 {
		return nil, fmt.Errorf("--masks: no %swpe.weight, so no language model to add them to", lmName)
	}
	n := positions.Shape[0]
	for layer := 0; find(items, fmt.Sprintf("%sh.%d.ln_1.weight", lmName, layer)) != nil; layer++ {
		for _, mask := range checkpoint.Masks(layer, n) {
			if find(items, mask.Name) == nil {
				items = append(items, mask)
			}
		}
	}
	return items, nil
}
