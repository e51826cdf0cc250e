package testkit

import (
	"encoding/json"
	"hash/fnv"
	"os"
	"testing"
)

// fullSizeSeed is the seed of the formula for the golden full-size models (fullsize/manifest.json).
const fullSizeSeed = 0x0123456789ABCDEF

// Formula fills dst with numbers of the full-size golden models: element i of tensor name is
// shift + scale·u with u in [-1, 1) from SplitMix64, started from the name.
func Formula(dst []float32, name string, scale, shift float32) {
	h := fnv.New64a()
	h.Write([]byte(name))
	key := h.Sum64() ^ fullSizeSeed
	for i := range dst {
		z := key + uint64(i+1)*0x9E3779B97F4A7C15
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		z ^= z >> 31
		u := float32(int64(z>>40)-1<<23) / (1 << 23)
		dst[i] = shift + scale*u
	}
}

// Tensor is a tensor of a full-size golden model.
type Tensor struct {
	Name         string
	Shape        []int
	Scale, Shift float32
	tag          string
}

// Fill sets dst to the tensor's numbers.
func (t *Tensor) Fill(dst []float32) { Formula(dst, t.tag+"/"+t.Name, t.Scale, t.Shift) }

// FullSize lists the tensors of a full-size golden model by name, or skips the test: vit_b32, rn50x4, mlp_map,
// tr_map_10, tr_map_40_rn or gpt2.
func FullSize(t testing.TB, model string) map[string]*Tensor {
	t.Helper()
	text, err := os.ReadFile(Golden(t, "models/fullsize/tensors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var models map[string][][4]json.RawMessage
	if err := json.Unmarshal(text, &models); err != nil {
		t.Fatal(err)
	}
	list := map[string]*Tensor{}
	for _, row := range models[model] {
		x := &Tensor{tag: model}
		for i, p := range []any{&x.Name, &x.Shape, &x.Scale, &x.Shift} {
			if err := json.Unmarshal(row[i], p); err != nil {
				t.Fatalf("full-size model %s: %v", model, err)
			}
		}
		list[x.Name] = x
	}
	if len(list) == 0 {
		t.Fatalf("no full-size model %s", model)
	}
	return list
}
