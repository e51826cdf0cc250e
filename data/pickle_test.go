package data

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
	"github.com/clipcap-go/clipcap/weights"
)

// TestPickles reads the original's feature files in all their spellings: captions with their rows, and the numbers.
func TestPickles(t *testing.T) {
	for _, name := range []string{"conceptual_clip_ViT-B_32_val.pkl", "oscar_split_ViT-B_32_train.pkl", "oscar_split_f32_proto5.pkl",
		"oscar_split_proto2.pkl", "oscar_split_proto3.pkl"} {
		t.Run(name, func(t *testing.T) {
			path := testkit.Golden(t, "models/weights/features/"+name)
			f, err := OpenFeatures(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			var want []struct {
				Caption string `json:"caption"`
				Row     int    `json:"clip_embedding"`
			}
			text, err := os.ReadFile(path + ".captions.json")
			if err == nil {
				err = json.Unmarshal(text, &want)
			}
			if err != nil {
				t.Fatal(err)
			}
			s, err := weights.Open(path + ".features_f32.npy")
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			numbers, err := s.Tensors()[0].Float32s()
			if err != nil {
				t.Fatal(err)
			}
			c, err := Load(f, Config{Encode: letters, Vocab: 256})
			if err != nil || c.Len() != len(want) || c.Len() == 0 {
				t.Fatalf("%d captions, want %d: %v", c.Len(), len(want), err)
			}
			x := make([]float32, f.Dim)
			for i, w := range want {
				if got, w := decode(c.Tokens(i)), decode(letters(nil, w.Caption)); !strings.HasPrefix(w, got) || got == "" && w != "" {
					t.Errorf("caption %d is %q, want %q", i, got, w)
				}
				if err := f.Read(x, w.Row); err != nil {
					t.Fatal(err)
				}
				for j, v := range numbers[w.Row*f.Dim:][:f.Dim] {
					if x[j] != v {
						t.Fatalf("row %d number %d is %v, want %v", w.Row, j, x[j], v)
					}
				}
			}
		})
	}
}

func decode(tokens []int32) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteByte(byte(t))
	}
	return b.String()
}
