package clipcap_test

import (
	"context"
	"fmt"
	"image"
	_ "image/jpeg"
	"log"
	"os"

	"github.com/clipcap-go/clipcap"
	"github.com/clipcap-go/clipcap/clip"
	"github.com/clipcap-go/clipcap/gpt2"
)

// The five lines: a published model, a photo, its caption.
func Example() {
	file, err := os.Open("photo.jpg")
	check(err)
	defer file.Close()
	photo, _, err := image.Decode(file)
	check(err)

	ctx := context.Background()
	model, err := clipcap.Open(ctx, "coco", clipcap.Options{})
	check(err)
	captions, err := model.Caption(ctx, photo)
	check(err)
	fmt.Println(captions[0][0].Text)
}

// Any number of images, as they come, with three samples of each instead of the best of five beams. What is wrong with one
// image is told in its place, and the others go on.
func ExampleModel_CaptionImages() {
	ctx := context.Background()
	decode := gpt2.DefaultOptions()
	decode.Mode, decode.N, decode.TopP, decode.Seed = gpt2.Sample, 3, 0.9, 1
	model, err := clipcap.Open(ctx, "my-run", clipcap.Options{CLIP: "ViT-B/32", Decode: decode})
	check(err)
	images := func(yield func(*clip.Image, error) bool) {
		for _, path := range os.Args[1:] {
			if !yield(clip.OpenImage(path)) {
				return
			}
		}
	}
	for captions, err := range model.CaptionImages(ctx, images) {
		if err != nil {
			fmt.Println(err)
			continue
		}
		for _, c := range captions {
			fmt.Printf("%.2f %s\n", c.Score, c.Text)
		}
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
