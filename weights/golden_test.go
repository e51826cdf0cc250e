package weights

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
)

func mustOpen(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// floats are a tensor's numbers as bit patterns, so that NaN and -0 count.
func floats(t testing.TB, x *Tensor) []uint32 {
	t.Helper()
	f, err := x.Float32s()
	if err != nil {
		t.Fatal(err)
	}
	bits := make([]uint32, len(f))
	for i, v := range f {
		bits[i] = math.Float32bits(v)
	}
	return bits
}

// TestGoldenContainersAgree: GPT-2 in every container, prefix and byte order is the same numbers, bit for bit.
func TestGoldenContainersAgree(t *testing.T) {
	dir := testkit.Golden(t, "models/weights")
	same := map[string][]string{
		"gpt2/model.safetensors": {"gpt2/hf_legacy_noprefix.bin", "gpt2/hf_zip_prefixed.bin", "gpt2/model_nometa_unpadded.safetensors", "gpt2/zip64.bin",
			"gpt2/zip_bigendian.bin", "gpt2/zip_byteorder_little.bin", "gpt2/zip_cuda_location.bin", "gpt2/zip_deflated.bin", "gpt2/sharded/model.safetensors.index.json"},
		"gpt2/model_f16.safetensors":                 {"gpt2/model_f16.bin"},
		"gpt2/model_bf16.safetensors":                {"gpt2/model_bf16.bin"},
		"clip_vit/state_dict_fp16.pt":                {"clip_vit/state_dict_fp16_legacy.pt", "clip_vit/jit_fp16.pt", "clip_vit/open_clip_model.safetensors"},
		"clip_rn/state_dict_fp16.pt":                 {"clip_rn/jit_fp16.pt"},
		"clip_vit/hf_clip.safetensors":               {"clip_vit/hf_clip_pytorch_model.bin"},
		"clipcap/mlp_weights.pt":                     {"clipcap/mlp_weights_legacy.pt", "clipcap/mlp_weights_cuda.pt", "clipcap/mlp_mapper_only.pt"},
		"clipcap/transformer_weights.pt":             {"clipcap/transformer_mapper_only.pt"},
		"clipcap/linear_weights.pt":                  {"clipcap/linear_mapper_only.pt"},
		"odd/odd_zip_p2.pt":                          {"odd/odd_zip_p4.pt", "odd/odd_legacy_p2.pt", "odd/odd_legacy_p4.pt"},
		"clip_vit/open_clip_epoch.pt":                {"clip_vit/open_clip_model.safetensors"},
		"clip_vit/open_clip_custom_text.safetensors": {"clip_vit/open_clip_model.safetensors"},
	}
	strip := func(name string) string {
		for _, p := range []string{"transformer.", "state_dict.", "module.", "text."} {
			if rest := strings.TrimPrefix(name, p); !strings.HasPrefix(rest, "resblocks") {
				name = rest
			}
		}
		return name
	}
	for from, others := range same {
		want := map[string]*Tensor{}
		for _, x := range mustOpen(t, filepath.Join(dir, from)).Tensors() {
			want[strip(x.Name)] = x
		}
		for _, other := range others {
			n := 0
			for _, x := range mustOpen(t, filepath.Join(dir, other)).Tensors() {
				if w := want[strip(x.Name)]; w != nil && !strings.HasSuffix(x.Name, "attn.bias") {
					n++
					if !slices.Equal(w.Shape, x.Shape) {
						t.Errorf("%s: %s has shape %v, in %s %v", other, x.Name, x.Shape, from, w.Shape)
					}
					if !slices.Equal(floats(t, w), floats(t, x)) {
						t.Errorf("%s: %s differs from %s", other, x.Name, from)
					}
				}
			}
			if n < 2 {
				t.Errorf("%s: only %d tensors are also in %s", other, n, from)
			}
		}
	}
}

// TestGoldenOddTensors: views, strides, special values and every type, in four containers.
func TestGoldenOddTensors(t *testing.T) {
	var want map[string]struct {
		DType  string
		Shape  []int
		Values []any
	}
	b, err := os.ReadFile(testkit.Golden(t, "models/weights/odd/expected_model.json"))
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	if err := d.Decode(&want); err != nil {
		t.Fatal(err)
	}
	names := map[string]string{"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool"}
	for _, file := range []string{"odd_zip_p2.pt", "odd_zip_p4.pt", "odd_legacy_p2.pt", "odd_legacy_p4.pt"} {
		s := mustOpen(t, testkit.Golden(t, "models/weights/odd/"+file))
		for name, w := range want {
			x := s.Tensor("model." + name)
			if x == nil {
				t.Errorf("%s lacks %s", file, name)
				continue
			}
			if names[x.DType.String()] != w.DType || !slices.Equal(x.Shape, w.Shape) {
				t.Errorf("%s: %s is %s %v, want %s %v", file, name, x.DType, x.Shape, w.DType, w.Shape)
			}
			for i, text := range valueTexts(t, x) {
				if wantText := numberText(w.Values[i]); text != wantText {
					t.Errorf("%s: %s[%d] = %s, want %s", file, name, i, text, wantText)
				}
			}
		}
		if list := s.Tensor("list.1.deep.0"); list == nil {
			t.Errorf("%s: no list.1.deep.0", file)
		}
	}
}

// valueTexts spells a tensor's numbers as numberText spells the reference's.
func valueTexts(t *testing.T, x *Tensor) []string {
	t.Helper()
	var out []string
	if x.DType.Float() {
		f, err := x.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range f {
			out = append(out, strconv.FormatFloat(float64(v), 'g', -1, 32))
		}
		return out
	}
	n := make([]int64, x.Len())
	if err := x.ReadInt64(n); err != nil {
		t.Fatal(err)
	}
	for _, v := range n {
		out = append(out, strconv.FormatInt(v, 10))
	}
	return out
}

func numberText(v any) string {
	switch v := v.(type) {
	case string: // Python's repr of a float
		f, _ := strconv.ParseFloat(v, 64)
		return strconv.FormatFloat(float64(float32(f)), 'g', -1, 32)
	case json.Number:
		return v.String()
	}
	return ""
}

// TestGoldenBad: each hostile or broken file is refused by an error that names it.
func TestGoldenBad(t *testing.T) {
	dir := testkit.Golden(t, "models/weights/bad")
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		s, err := Open(filepath.Join(dir, f.Name()))
		if err == nil {
			s.Close()
			if f.Name() != "deep.pkl" {
				t.Errorf("%s was opened", f.Name())
			}
			continue
		}
		if !strings.Contains(err.Error(), f.Name()) {
			t.Errorf("%s: the error does not name the file: %v", f.Name(), err)
		}
		t.Log(strings.TrimPrefix(err.Error(), dir))
	}
}

// TestGoldenFeatures: the original's feature pickles, tensors inside bytes inside a pickle.
func TestGoldenFeatures(t *testing.T) {
	dir := testkit.Golden(t, "models/weights/features")
	for _, file := range []string{"oscar_split_ViT-B_32_train.pkl", "oscar_split_proto2.pkl", "oscar_split_proto3.pkl", "oscar_split_f32_proto5.pkl", "conceptual_clip_ViT-B_32_val.pkl"} {
		path := filepath.Join(dir, file)
		got := mustOpen(t, path).Tensor("clip_embedding")
		want := mustOpen(t, path+".features_f32.npy").Tensor("array")
		if got == nil || !slices.Equal(got.Shape, want.Shape) || !slices.Equal(floats(t, got), floats(t, want)) {
			t.Errorf("%s: features differ from %s", file, want.Name)
		}
	}
	tokens := mustOpen(t, filepath.Join(dir, "oscar_split_ViT-B_32_train_tokens.pkl"))
	if n := len(tokens.Tensors()); n != 3 || tokens.Tensor("0.2").Len() != 0 {
		t.Errorf("token cache: %d tensors, want 3, the last of them empty", n)
	}
}
