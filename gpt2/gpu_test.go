package gpt2

import (
	"context"
	"errors"
	"testing"

	"github.com/clipcap-go/clipcap/internal/gpu"
	"github.com/clipcap-go/clipcap/nn"
)

// A decoder that finds no room on a GPU names the batch that does, whether the room ends when it is made or in its first step.
func TestGPUOutOfMemory(t *testing.T) {
	m := tiny(t, 1)
	attempt := func(memory int64, batch int) (made, used int64, err error) {
		dev, err := gpu.NewDevice(&gpu.Recorder{Memory: memory})
		if err != nil {
			t.Fatal(err)
		}
		o := DefaultOptions()
		o.Batch, o.MaxTokens = batch, 5
		d, err := NewDecoder(m, nn.NewGPU(dev, "cuda:0", nn.Float32), o, 6)
		if err != nil {
			return 0, 0, err
		}
		defer d.Close()
		made = dev.Used()
		for _, err := range d.Decode(context.Background(), each(manyPrompts(batch))) {
			if err != nil {
				return made, 0, err
			}
		}
		return made, dev.Used(), nil
	}
	_, need, err := attempt(0, 40)
	if err != nil {
		t.Fatal(err)
	}
	inStep := 0
	for _, share := range []float64{0.9, 0.5, 0.3} {
		memory := int64(share * float64(need))
		made, _, err := attempt(memory, 40)
		if made > 0 {
			inStep++
		}
		var fit *nn.FitError
		if !errors.As(err, &fit) || fit.Batch < 1 || fit.Batch > 39 {
			t.Fatalf("%g of the memory: %v", share, err)
		}
		if _, _, err := attempt(memory, fit.Batch); err != nil {
			t.Errorf("the batch of %d that would fit does not: %v", fit.Batch, err)
		}
		if _, _, err := attempt(memory, fit.Batch+8); err == nil {
			t.Errorf("a batch of %d fits, and was not named but %d", fit.Batch+8, fit.Batch)
		}
	}
	if inStep == 0 {
		t.Error("no run ended in a step")
	}
}
