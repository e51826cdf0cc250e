package gpt2_test

import (
	"context"
	"fmt"
	"iter"
	"log"

	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/nn"
)

// A random model of a few words continues two prompts. With gpt2.Open("gpt2", nil, 0) in its place it is the published one, and a mapper's rows
// go where Prompt.Prefix is.
func ExampleDecoder() {
	model, err := gpt2.New(gpt2.Config{Vocab: 20, Positions: 16, Dim: 8, Layers: 1, Heads: 2, Eps: 1e-5, InitRange: 0.5})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := model.Params("transformer"); err != nil { // names the weights
		log.Fatal(err)
	}
	model.Init(1)

	options := gpt2.DefaultOptions()
	options.Mode, options.MaxTokens = gpt2.Greedy, 4
	decoder, err := gpt2.NewDecoder(model, nn.NewCPU(nn.Float32), options, 2) // prompts of two rows at most
	if err != nil {
		log.Fatal(err)
	}
	defer decoder.Close()
	for captions, err := range decoder.Decode(context.Background(), prompts([]int32{7}, []int32{3, 5})) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(captions), "caption of", len(captions[0].Tokens), "tokens")
	}
	// Output:
	// 1 caption of 5 tokens
	// 1 caption of 6 tokens
}

// prompts hands out prompts of tokens, without a prefix.
func prompts(all ...[]int32) iter.Seq2[gpt2.Prompt, error] {
	return func(yield func(gpt2.Prompt, error) bool) {
		for _, tokens := range all {
			if !yield(gpt2.Prompt{Tokens: tokens}, nil) {
				return
			}
		}
	}
}
