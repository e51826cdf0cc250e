package train_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/train"
	"github.com/clipcap-go/clipcap/weights"
)

// A run keeps its folder a checkpoint, which captions and can be resumed.
func ExampleRun() {
	dir, err := os.MkdirTemp("", "example")
	check(err)
	defer os.RemoveAll(dir)
	trainer, config := small(dir) // see the example of Trainer
	defer trainer.Close()

	run := &train.Run{Trainer: trainer, Dir: dir, Config: checkpoint.Config{Config: config, LM: trainer.Model.LM.Config}, Save: 10}
	summary, err := run.Do(context.Background()) // an end of the context would write a checkpoint, too
	check(err)
	saved, err := checkpoint.Open(dir, nil)
	check(err)
	fmt.Println(summary.Steps, "of", summary.Of, "updates; a mapper of kind", saved.Config.Kind)
	// Output: 50 of 50 updates; a mapper of kind mlp
}

// small prepares a run as the example of Trainer does.
func small(dir string) (*train.Trainer, mapping.Config) {
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
	set, err := data.Load(features, data.Config{Captions: captions, Vocab: 10})
	check(err)
	settings := train.Defaults()
	settings.BatchSize, settings.Steps, settings.LR, settings.Warmup, settings.FrozenLM = 2, 50, 1e-2, 0, true
	trainer, err := train.New(nn.NewCPU(nn.Float32), model, set, settings)
	check(err)
	return trainer, config
}
