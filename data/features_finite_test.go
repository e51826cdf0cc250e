package data

import (
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/weights"
)

func TestAllFinite(t *testing.T) {
	for n := range 23 {
		x := make([]float32, n)
		for i := range x {
			x[i] = math.MaxFloat32
		}
		if !allFinite(x) {
			t.Errorf("%d finite numbers are refused", n)
		}
		for i := range x {
			for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
				x[i] = float32(v)
				if allFinite(x) || finite(x) == nil {
					t.Errorf("%v as number %d of %d is let pass", v, i, n)
				}
			}
			x[i] = -math.MaxFloat32
		}
	}
}

// TestLoadRefusesWhatIsNotFinite holds for float32 and float16, for one file and for shards, and that rows without a caption do not matter.
func TestLoadRefusesWhatIsNotFinite(t *testing.T) {
	const rows, dim = 700, 512 // more than one piece
	captions := filepath.Join(t.TempDir(), "captions.jsonl")
	var text strings.Builder
	for _, row := range []string{"0", "511", "513", "699"} {
		text.WriteString(`{"row":` + row + `,"caption":"a"}` + "\n")
	}
	if err := os.WriteFile(captions, []byte(text.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	load := func(dtype weights.DType, bad map[int]float64) error {
		x := make([]float32, rows*dim)
		for row, v := range bad {
			x[row*dim+7] = float32(v)
		}
		dir := filepath.Join(t.TempDir(), "f")
		if err := os.Mkdir(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		for i, part := range [][]float32{x[:512*dim], x[512*dim:]} {
			path := filepath.Join(dir, []string{"img_emb_0.npy", "img_emb_1.npy"}[i])
			if err := weights.WriteFile(path, func(w io.Writer) error {
				return weights.WriteNPY(w, weights.Floats("x", []int{len(part) / dim, dim}, part, dtype))
			}); err != nil {
				t.Fatal(err)
			}
		}
		f, err := OpenFeatures(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		_, err = Load(f, Config{Captions: captions, Options: annotation.Options{}, Vocab: 256,
			Encode: func(dst []int32, text string) []int32 { return append(dst, int32(text[0])) }})
		return err
	}
	for _, dtype := range []weights.DType{weights.F32, weights.F16} {
		if err := load(dtype, nil); err != nil {
			t.Errorf("%v: finite features: %v", dtype, err)
		}
		if err := load(dtype, map[int]float64{1: math.NaN(), 512: math.Inf(1)}); err != nil {
			t.Errorf("%v: rows without a caption: %v", dtype, err)
		}
		for want, bad := range map[string]map[int]float64{
			"img_emb_0.npy: row 0 (image id 0): number 7 is NaN, want finite numbers":                           {0: math.NaN()},
			"img_emb_0.npy: row 511 (image id 511): number 7 is +Inf, want finite numbers (2 such rows in all)": {511: math.Inf(1), 513: math.NaN()},
			"img_emb_1.npy: row 187 (image id 699): number 7 is -Inf":                                           {699: math.Inf(-1)},
		} {
			if err := load(dtype, bad); err == nil || !strings.HasSuffix(err.Error(), want) && !strings.Contains(err.Error(), want+", want finite") {
				t.Errorf("%v: error %v, want %q", dtype, err, want)
			}
		}
	}
}

func BenchmarkCheckFinite(b *testing.B) {
	x := make([]float32, 1<<20)
	b.SetBytes(4 << 20)
	for b.Loop() {
		if !allFinite(x) {
			b.Fatal("zeros are refused")
		}
	}
}
