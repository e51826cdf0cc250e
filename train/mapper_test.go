package train_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/train"
	"github.com/clipcap-go/clipcap/weights"
)

// gated is a mapper of an importing program's own: one layer, and a learned row that is added to every row of a prefix.
type gated struct {
	Layer nn.Linear `weight:"layer"`
	Row   *nn.Param `weight:"row"` // [1, dim]
	rows  int
}

// Forward maps features [images, feature] to prefixes [images·rows, dim].
func (m *gated) Forward(features *G.Node) *G.Node {
	rows := nn.SplitRows(m.Layer.Forward(features), m.rows)
	return nn.AddToGroups(rows, m.Row.Node(features.Graph()))
}

// Init gives the weights their first numbers.
func (m *gated) Init(seed uint64) {
	m.Layer.Weight.Uniform(seed, 0.5)
	m.Row.Normal(seed, 1)
}

// TestOwnMapper trains it; a checkpoint cannot say what it is, and refuses.
func TestOwnMapper(t *testing.T) {
	dir := t.TempDir()
	array, captions := filepath.Join(dir, "features.npy"), filepath.Join(dir, "captions.jsonl")
	f, err := os.Create(array)
	check(err)
	check(weights.WriteNPY(f, weights.Floats("features", []int{2, 3}, []float32{1, 0, 0, 0, 1, 0}, weights.F32)))
	check(f.Close())
	check(os.WriteFile(captions, []byte("{\"row\":0,\"tokens\":[7,3]}\n{\"row\":1,\"tokens\":[2,9,4]}\n"), 0o644))
	lm, err := gpt2.New(gpt2.Config{Vocab: 10, Positions: 16, Dim: 8, Layers: 1, Heads: 2, Eps: 1e-5, InitRange: 0.3})
	check(err)
	config := mapping.Config{Kind: "gated", Feature: 3, Dim: 8, PrefixLength: 2}
	mapper := &gated{Layer: nn.NewLinear(3, 2*8, true), Row: nn.NewParam(1, 8), rows: 2}
	model, err := train.NewModel(mapper, config, lm)
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
	if !(last.Loss < first.Loss) {
		t.Errorf("the loss went from %v to %v", first.Loss, last.Loss)
	}
	writer, err := train.NewWriter(nn.NewCPU(nn.Float32), model, features, settings, 4)
	check(err)
	defer writer.Close()
	if _, err := writer.Write(context.Background(), []int{0, 1}); err == nil || !strings.Contains(err.Error(), "Writer.Decode is not set") {
		t.Errorf("captions without what turns tokens into text: %v", err)
	}
	writer.Decode = func(tokens []int32) (string, error) { return fmt.Sprint(tokens), nil }
	if texts, err := writer.Write(context.Background(), []int{0, 1}); err != nil || len(texts) != 2 {
		t.Errorf("captions %q, %v", texts, err)
	}
	err = checkpoint.Write(dir, checkpoint.Config{Config: config, LM: lm.Config}, model.MapperParams(), nil)
	if err == nil || !strings.Contains(err.Error(), `mapper "gated": want mlp, linear or transformer`) {
		t.Errorf("a checkpoint of an unknown mapper: %v", err)
	}
}
