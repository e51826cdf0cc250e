package weights

import (
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/half"
)

// samples are items of every kind, the numbers of the first floats.
func samples(t *testing.T) ([]Item, []float32) {
	t.Helper()
	x := []float32{0, float32(math.Copysign(0, -1)), 1, -2.5, 65504, float32(math.Inf(1)), float32(math.NaN()), 1e-8, 3.14159274, -1e30, 0.333333343, 7}
	a := Floats("a.weight", []int{3, 4}, x, F32)
	s := headed(t, "q", []int{2, 3}, "k", []int{1, 3})
	stacked, err := Copy("qk", 0, s.Tensor("q"), s.Tensor("k"))
	if err != nil {
		t.Fatal(err)
	}
	turned, err := s.Tensor("q").Transposed()
	if err != nil {
		t.Fatal(err)
	}
	narrowed, err := Copy("half", F16, turned)
	if err != nil {
		t.Fatal(err)
	}
	mask := Raw("mask", U8, []int{1, 1, 5}, func(w io.Writer) error { _, err := w.Write([]byte{1, 0, 1, 1, 0}); return err })
	return []Item{
		Floats("bf", []int{12}, x, BF16), mask, a, Floats("f64", []int{12, 1}, x, F64), Floats("f16", []int{2, 6}, x, F16), stacked, narrowed,
		Floats("scalar \"\u00e9\"", []int{}, x[3:4], F32), Floats("none", []int{0, 7}, nil, F32), Alias("tied", a),
	}, x
}

// TestWriteAndRead: both formats hold what was written, to the bit.
func TestWriteAndRead(t *testing.T) {
	items, x := samples(t)
	round := func(f func(float32) float32) []float32 {
		var y []float32
		for _, v := range x {
			y = append(y, f(v))
		}
		return y
	}
	want := map[string][]float32{
		"a.weight": x, "f64": x, "scalar \"\u00e9\"": x[3:4], "none": {}, "mask": {1, 0, 1, 1, 0}, "tied": x,
		"bf":  round(func(v float32) float32 { return half.OfBF16(half.ToBF16(v)) }),
		"f16": round(func(v float32) float32 { return half.OfF16(half.ToF16(v)) }),
	}
	for _, format := range []string{"safetensors", "torch"} {
		path := filepath.Join(t.TempDir(), "x.bin")
		err := WriteFile(path, func(w io.Writer) error {
			if format == "torch" {
				return WriteTorch(w, items)
			}
			return WriteSafetensors(w, map[string]string{"by": "test \u00e9"}, items)
		})
		if err != nil {
			t.Fatal(err)
		}
		s := mustOpen(t, path)
		for _, e := range items {
			got := s.Tensor(e.Name)
			if got == nil {
				t.Errorf("%s: no %s", format, e.Name)
				continue
			}
			if got.DType != e.DType || !slices.Equal(got.Shape, e.Shape) {
				t.Errorf("%s: %s is %s %v, want %s %v", format, e.Name, got.DType, got.Shape, e.DType, e.Shape)
			}
			f, err := got.Float32s()
			if err != nil {
				t.Fatal(err)
			}
			if w := want[e.Name]; w != nil && !slices.EqualFunc(f, w, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) {
				t.Errorf("%s: %s = %v, want %v", format, e.Name, f, w)
			}
			if view, ok := got.View(); e.Name == "a.weight" && (!ok || len(view) != len(x)) {
				t.Errorf("%s: %s is not aligned for a view", format, e.Name)
			}
		}
		if format == "torch" && !s.Tensor("tied").sameNumbers(s.Tensor("a.weight")) {
			t.Error("an alias has its own numbers")
		}
		if format == "safetensors" && s.Metadata["by"] != "test \u00e9" {
			t.Errorf("metadata %v", s.Metadata)
		}
	}
}

func TestWriteRefuses(t *testing.T) {
	x := Floats("x", []int{2}, make([]float32, 2), F32)
	for want, items := range map[string][]Item{
		"comes twice":    {x, x},
		"does not come":  {Alias("y", x), x},
		"2 numbers":      {Floats("x", []int{3}, make([]float32, 2), F32)},
		"not as I8":      {Floats("x", []int{2}, make([]float32, 2), I8)},
		"negative":       {Floats("x", []int{-1}, nil, F32)},
		"1 bytes, want":  {Raw("x", U8, []int{2}, func(w io.Writer) error { _, err := w.Write([]byte{1}); return err })},
		"DType":          {Raw("x", 77, []int{2}, nil)},
		"empty or taken": {Floats("__metadata__", nil, nil, F32)},
	} {
		if err := WriteSafetensors(io.Discard, nil, items); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("safetensors: error %v, want %q", err, want)
		}
		if err := WriteTorch(io.Discard, items); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("torch: error %v, want %q", err, want)
		}
	}
	s := headed(t, "q", []int{2, 3}, "k", []int{3})
	if _, err := Copy("qk", 0, s.Tensor("q"), s.Tensor("k")); err == nil {
		t.Error("a vector below a matrix")
	}
}
