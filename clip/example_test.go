package clip_test

import (
	"context"
	"fmt"
	"image"
	"log"

	"github.com/clipcap-go/clipcap/clip"
)

// A random model stands for a published one: clip.Open("ViT-B-32.pt", …) opens OpenAI's file.
func ExampleOpen() {
	encoder, err := clip.Open("random:testdata/tiny.json", clip.Options{Batch: 8})
	if err != nil {
		log.Fatal(err)
	}
	photo := clip.FromImage(image.NewGray(image.Rect(0, 0, 640, 480))) // or clip.OpenImage("photo.jpg")
	features, err := encoder.Encode(context.Background(), []*clip.Image{photo})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(features), "feature of", len(features[0]), "numbers")
	// Output: 1 feature of 24 numbers
}
