package data_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/weights"
)

// Features of two images and three captions of them become token ids, each with its image's row.
func ExampleLoad() {
	dir, err := os.MkdirTemp("", "example")
	check(err)
	defer os.RemoveAll(dir)
	array, err := os.Create(filepath.Join(dir, "features.npy"))
	check(err)
	check(weights.WriteNPY(array, weights.Floats("features", []int{2, 3}, []float32{1, 0, 0, 0, 1, 0}, weights.F32)))
	check(array.Close())
	captions := filepath.Join(dir, "captions.jsonl")
	check(os.WriteFile(captions, []byte(`{"row": 0, "caption": "a dog"}
{"row": 1, "caption": "two cats"}
{"row": 1, "caption": "cats"}
`), 0o644))

	features, err := data.OpenFeatures(filepath.Join(dir, "features.npy"))
	check(err)
	defer features.Close()
	set, err := data.Load(features, data.Config{Captions: captions, Vocab: 256, Encode: func(dst []int32, text string) []int32 {
		for _, b := range []byte(text) { // a token a byte; gpt2.Tokenizer.AppendEncode in a real program
			dst = append(dst, int32(b))
		}
		return dst
	}})
	check(err)
	for i := range set.Len() {
		fmt.Println(set.Row(i), len(set.Tokens(i)), "tokens")
	}
	// Output:
	// 0 5 tokens
	// 1 8 tokens
	// 1 4 tokens
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
