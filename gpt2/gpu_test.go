package gpt2

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/clipcap-go/clipcap/internal/gpu"
	"github.com/clipcap-go/clipcap/internal/gpu/ptxsim"
	"github.com/clipcap-go/clipcap/nn"
)

// Steps that are filled up write the captions that others write.
func TestFilledSteps(t *testing.T) {
	m := tiny(t, 1)
	prompts := manyPrompts(11)
	defer func(was func(nn.Backend) bool) { fills = was }(fills)
	for name, o := range modes() {
		fills = func(nn.Backend) bool { return false }
		want := write(t, m, nn.NewCPU(nn.Float32), o, 6, each(prompts))
		fills = func(nn.Backend) bool { return true }
		for _, batch := range []int{1, 3, 64} {
			o.Batch = batch
			if got := write(t, m, nn.NewCPU(nn.Float32), o, 6, each(prompts)); !reflect.DeepEqual(got, want) {
				t.Errorf("%s, batch %d: %v, want %v", name, batch, got, want)
			}
		}
	}
}

// On a GPU the steps of a decoder whose captions end one after the other come down to a few captured graphs.
func TestGPUReplaysSteps(t *testing.T) {
	rec := &gpu.Recorder{}
	dev, err := gpu.NewDevice(rec)
	if err != nil {
		t.Fatal(err)
	}
	o := DefaultOptions()
	o.Batch, o.MaxTokens = 16, 12
	d, err := NewDecoder(tiny(t, 1), nn.NewGPU(dev, "cuda:0", nn.Float32), o, 6)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for range 4 {
		for _, err := range d.Decode(context.Background(), each(manyPrompts(48))) {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if steps := rec.Count("Download"); rec.Count("Replay") < steps/2 {
		t.Errorf("%d of %d steps were replayed, %d graphs", rec.Count("Replay"), steps, rec.Count("Capture"))
	}
}

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
		if _, _, err := attempt(memory, fit.Batch+10); fit.Batch+10 < 40 && err == nil {
			t.Errorf("a batch of %d fits, and was not named but %d", fit.Batch+10, fit.Batch)
		}
	}
	if inStep == 0 {
		t.Error("no run ended in a step")
	}
}

// A GPU that was given the weights in one form writes the captions that the CPU writes with that form, a few rows a step and many.
func TestGPUDecodesWeightsInOneForm(t *testing.T) {
	prompts := manyPrompts(5)
	for _, format := range []nn.WeightFormat{nn.WeightsBFloat16, nn.WeightsInt8} {
		for _, batch := range []int{1, 4} {
			o := DefaultOptions()
			o.Batch, o.MaxTokens, o.Beam, o.Stop = batch, 5, 4, 7
			captions := func(be nn.Backend) [][]Caption {
				m := tiny(t, 1)
				take := nn.TakeNow(be.(nn.Holder), m.operands())
				params, err := m.Params("")
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range params {
					take(p)
				}
				if m.Tokens.Weight.Data != nil || m.Blocks[0].MLP.Up.Weight.Data != nil {
					t.Fatalf("%s left weights on the host", be.Name())
				}
				return write(t, m, be, o, 6, each(prompts))
			}
			driver, err := ptxsim.Open(1 << 28)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { driver.Close() })
			dev, err := gpu.NewDevice(driver)
			if err != nil {
				t.Fatal(err)
			}
			want := captions(nn.NewCPUWeights(nn.High, format))
			got := captions(nn.NewGPUWeights(dev, "cuda:sim", nn.High, format))
			for i := range want {
				for j := range want[i] {
					if !reflect.DeepEqual(got[i][j].Tokens, want[i][j].Tokens) {
						t.Errorf("format %v, batch %d, prompt %d: %v, want %v", format, batch, i, got[i][j], want[i][j])
					}
				}
			}
		}
	}
}
