package checkpoint_test

import (
	"fmt"
	"log"
	"os"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
)

// A mapper is written alone, to be used with the language model it was trained beside.
func ExampleWrite() {
	dir, err := os.MkdirTemp("", "checkpoint")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	lm, err := gpt2.Published("gpt2")
	if err != nil {
		log.Fatal(err)
	}
	c := checkpoint.Config{Config: mapping.Config{Kind: mapping.KindLinear, Feature: 4, Dim: lm.Dim, PrefixLength: 2},
		CLIP: checkpoint.Source{Name: "ViT-B/32"}, GPT2: checkpoint.Source{Name: "gpt2"}, LM: lm}
	m, err := mapping.New(c.Config)
	if err != nil {
		log.Fatal(err)
	}
	params, err := nn.Collect(mapping.Prefix, m)
	if err != nil {
		log.Fatal(err)
	}
	if err := checkpoint.Write(dir, c, params, nil); err != nil {
		log.Fatal(err)
	}
	got, err := checkpoint.Open(dir, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(got.Config.Kind, got.Config.PrefixLength, got.Config.CLIP, got.LM == nil)
	// Output: linear 2 ViT-B/32 true
}
