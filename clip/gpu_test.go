package clip

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/gpu"
	"github.com/clipcap-go/clipcap/nn"
)

// An encoder on a GPU without room names the batch that fits, and goes on with it; on one that is lost it returns an error.
func TestGPUFailures(t *testing.T) {
	encoder := func(memory int64, batch int) (*Encoder, *gpu.Recorder, *gpu.Device) {
		rec := &gpu.Recorder{Memory: memory}
		dev, err := gpu.NewDevice(rec)
		if err != nil {
			t.Fatal(err)
		}
		e := tiny(t, tinyResNet, Options{Batch: batch})
		e.backend = nn.NewGPU(dev, "cuda:0", nn.Float32)
		return e, rec, dev
	}
	images := func(n int) (list []*Image) {
		for i := range n {
			list = append(list, picture(30, 20, uint64(i)))
		}
		return list
	}
	ctx := context.Background()
	e, _, dev := encoder(0, 16)
	if _, err := e.Encode(ctx, images(16)); err != nil {
		t.Fatal(err)
	}
	for _, share := range []float64{0.95, 0.4} {
		memory := int64(share * float64(dev.Used()))
		tight, _, _ := encoder(memory, 16)
		_, err := tight.Encode(ctx, images(16))
		var fit *nn.FitError
		if !errors.As(err, &fit) || fit.Batch < 1 || fit.Batch > 15 || !strings.Contains(err.Error(), "would fit") {
			t.Fatalf("%g of the memory: %v", share, err)
		}
		again, rec, _ := encoder(memory, fit.Batch)
		if _, err := again.Encode(ctx, images(16)); err != nil {
			t.Errorf("the batch of %d that would fit does not: %v", fit.Batch, err)
		}
		gone := errors.New("CUDA error 700: an illegal memory access was encountered")
		rec.Fail = func(call string, _ int) error {
			if call == "Download" {
				return gone
			}
			return nil
		}
		for range 2 {
			if _, err := again.Encode(ctx, images(3)); !errors.Is(err, nn.ErrLost) || !errors.Is(err, gone) {
				t.Errorf("on a lost device: %v", err)
			}
		}
	}
}
