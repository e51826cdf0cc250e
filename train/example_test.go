package train_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/train"
	"github.com/clipcap-go/clipcap/weights"
)

// A mapper learns the captions of two images, in front of a small random GPT-2 that is frozen.
func ExampleTrainer() {
	dir, err := os.MkdirTemp("", "example")
	check(err)
	defer os.RemoveAll(dir)
	array := filepath.Join(dir, "features.npy")
	f, err := os.Create(array)
	check(err)
	check(weights.WriteNPY(f, weights.Floats("features", []int{2, 3}, []float32{1, 0, 0, 0, 1, 0}, weights.F32)))
	check(f.Close())
	captions := filepath.Join(dir, "captions.jsonl")
	check(os.WriteFile(captions, []byte("{\"row\":0,\"tokens\":[7,3]}\n{\"row\":1,\"tokens\":[2,9,4]}\n"), 0o644))

	lm, err := gpt2.New(gpt2.Config{Vocab: 10, Positions: 16, Dim: 8, Layers: 1, Heads: 2, Eps: 1e-5, InitRange: 0.3})
	check(err)
	config := mapping.Config{Kind: mapping.KindMLP, Feature: 3, Dim: 8, PrefixLength: 2}
	mapper, err := mapping.New(config)
	check(err)
	model, err := train.NewModel(mapper, config, lm) // gives the weights their names
	check(err)
	lm.Init(1)
	mapper.Init(2)

	features, err := data.OpenFeatures(array)
	check(err)
	defer features.Close()
	set, err := data.Load(features, data.Config{Captions: captions, Vocab: 10})
	check(err)
	settings := train.Defaults()
	settings.BatchSize, settings.Steps, settings.LR, settings.Warmup, settings.FrozenLM = 2, 50, 1e-2, 0, true
	trainer, err := train.New(nn.NewCPU(nn.Float32), model, set, settings)
	check(err)
	defer trainer.Close()
	var first, last train.Update
	for !trainer.Finished() {
		last, err = trainer.Step(context.Background())
		check(err)
		if trainer.Done() == 1 {
			first = last
		}
	}
	fmt.Println(trainer.Done(), "steps; the loss fell:", last.Loss < first.Loss)
	// Output: 50 steps; the loss fell: true
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
