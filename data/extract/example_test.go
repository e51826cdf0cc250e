package extract_test

import (
	"context"
	"fmt"
	"image"
	"image/png"
	"log"
	"os"
	"path/filepath"

	"github.com/clipcap-go/clipcap/clip"
	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/data/extract"
)

// A folder of photos becomes a feature set that data.OpenFeatures, and with it training, reads.
func ExampleRun() {
	photos, out := folder("photos"), folder("features")
	defer os.RemoveAll(photos)
	defer os.RemoveAll(out)
	for i := range 3 {
		draw(filepath.Join(photos, fmt.Sprintf("%d.png", i)), 40+10*i)
	}

	encoder, err := clip.Open("random:../../clip/testdata/tiny.json", clip.Options{}) // or "ViT-B-32.pt"
	if err != nil {
		log.Fatal(err)
	}
	source, err := extract.OpenSource(photos, extract.SourceOptions{})
	if err != nil {
		log.Fatal(err)
	}
	defer source.Close()
	sum, err := extract.Run(context.Background(), extract.Options{Source: source, Encoder: encoder, Out: out, Half: true})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sum.Features, "of", sum.Images, "images have a feature")

	features, err := data.OpenFeatures(out)
	if err != nil {
		log.Fatal(err)
	}
	defer features.Close()
	fmt.Println(features.Rows(), "rows of", features.Dim)
	// Output:
	// 3 of 3 images have a feature
	// 3 rows of 24
}

func folder(name string) string {
	dir, err := os.MkdirTemp("", name)
	if err != nil {
		log.Fatal(err)
	}
	return dir
}

func draw(path string, side int) {
	f, err := os.Create(path)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, image.NewGray(image.Rect(0, 0, side, side+5))); err != nil {
		log.Fatal(err)
	}
}
