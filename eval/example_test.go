package eval_test

import (
	"fmt"

	"github.com/clipcap-go/clipcap/eval"
	"github.com/clipcap-go/clipcap/eval/ptb"
)

// Two captions, their references, and every metric of this package: tokens first, each kind of caption as one stream.
func Example() {
	candidates := ptb.Tokenize([]string{"A dog runs on the grass.", "A red bus in the street."})
	first := ptb.Tokenize([]string{"A dog is running on grass.", "A red bus drives down the street."})
	images := make([]eval.Image, len(candidates))
	for i, c := range candidates {
		images[i] = eval.Image{Candidate: c, References: first[i : i+1]}
	}
	corpus := eval.NewCorpus(images)
	var sum eval.BLEUStats
	for _, s := range corpus.BLEU() {
		sum.Add(s, 1)
	}
	fmt.Printf("BLEU-1 %.3f BLEU-2 %.3f\n", sum.Score()[0], sum.Score()[1])
	fmt.Printf("ROUGE-L %.3f\n", eval.Mean(corpus.ROUGE()))
	fmt.Printf("CIDEr %.3f\n", eval.Mean(corpus.CIDEr()))
	// Output:
	// BLEU-1 0.690 BLEU-2 0.504
	// ROUGE-L 0.713
	// CIDEr 2.851
}

// Two systems over the same images: the second is better by more than chance allows.
func ExamplePairedBootstrap() {
	images := make([]int, 200)
	a, b := make([]float64, len(images)), make([]float64, len(images))
	for i := range images {
		images[i] = i
		a[i] = float64(i%10) / 10
		b[i] = a[i] + 0.1 + float64(i%3)/100
	}
	d := eval.PairedBootstrap(images, 1000, 1, eval.MeanPool(a), eval.MeanPool(b))
	fmt.Printf("%.2f, p below 0.01: %t\n", d.Value, d.P < 0.01)
	// Output: -0.11, p below 0.01: true
}

func ExampleCLIPScore() {
	images, captions := [][]float32{{3, 4}}, [][]float32{{4, 3}}
	own, err := eval.CLIPScore(images, captions)
	if err != nil {
		fmt.Println(err)
		return
	}
	with, err := eval.RefCLIPScore(own, captions, [][][]float32{{{4, 3}, {0, 1}}})
	fmt.Printf("%.3f %.3f %v\n", own[0], with[0], err)
	// Output: 2.400 1.412 <nil>
}
