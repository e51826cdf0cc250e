package train

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
)

// A language model that was handed to the backend trains the mapper bit for bit as one that was not, is validated and written with,
// and is known again when the run is resumed.
func TestHandOver(t *testing.T) {
	for _, precision := range []nn.Precision{nn.Float32, nn.BFloat16} {
		handOver(t, precision, 3, func() nn.Backend { return nn.NewCPU(precision) })
	}
}

// TestGPUHandOver is the same on a GPU, where the token table is taken too unless products are in bfloat16.
func TestGPUHandOver(t *testing.T) {
	for _, precision := range []nn.Precision{nn.High, nn.BFloat16} {
		handOver(t, precision, 1, func() nn.Backend { return testkit.GPU(t, precision) })
	}
}

// handOver trains with a model that was handed over and with one that was not: a validation and two captions written after every two steps.
func handOver(t *testing.T, precision nn.Precision, validations int, backend func() nn.Backend) {
	t.Helper()
	c := tinyCaptions(t, 43)
	s := settings(10, 6)
	s.FrozenLM, s.Precision = true, precision.String()
	var seen [2][]float64
	var texts [2][]string
	var mappers [2][]float32
	var starts [2]string
	for i := range seen {
		be := backend()
		m := tiny(t, mapping.KindTransformer)
		if i == 1 {
			m.HandOver(be)
			if m.LM.Blocks[1].MLP.Up.Weight.Data != nil || (m.LM.Tokens.Weight.Data == nil) != be.(nn.Holder).Exact() {
				t.Fatal("the wrong numbers were let go")
			}
		}
		tr, err := New(be, m, c, s)
		if err != nil {
			t.Fatal(err)
		}
		defer tr.Close()
		e, err := NewEvaluator(be, m, c, s)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		w, err := NewWriter(be, m, c.Features, s, 13)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		w.Decode = func(tokens []int32) (string, error) { return fmt.Sprint(tokens), nil }
		for range validations {
			seen[i] = append(seen[i], losses(t, tr, 2)...)
			loss, err := e.Loss(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			got, err := w.Write(context.Background(), []int{0, 3})
			if err != nil {
				t.Fatal(err)
			}
			seen[i], texts[i] = append(seen[i], loss), append(texts[i], got...)
		}
		for _, p := range m.MapperParams() {
			mappers[i] = append(mappers[i], p.Data...)
		}
		starts[i] = tr.start
	}
	if !slices.Equal(seen[0], seen[1]) || !slices.Equal(texts[0], texts[1]) || !slices.Equal(mappers[0], mappers[1]) {
		t.Errorf("%v: losses %v, want %v; captions %q, want %q", precision, seen[1], seen[0], texts[1], texts[0])
	}
	if starts[0] != starts[1] {
		t.Errorf("the model handed over is known as %s, before as %s", starts[1], starts[0])
	}
}

func TestHandOverRefusals(t *testing.T) {
	be := nn.NewCPU(nn.Float32)
	for _, c := range []struct {
		be     nn.Backend
		change func(s *Settings)
		want   string
	}{
		{be, func(s *Settings) { s.FrozenLM = false }, "can only stay as it is"},
		{be, func(s *Settings) { s.LoRA = 2 }, "can only stay as it is"},
		{nn.NewCPU(nn.Float32), func(*Settings) {}, "handed to another backend"},
	} {
		m := tiny(t, mapping.KindMLP)
		m.HandOver(be)
		s := settings(10, 6)
		s.FrozenLM = true
		c.change(&s)
		if _, err := New(c.be, m, tinyCaptions(t, 20), s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}
