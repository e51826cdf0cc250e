package jpeg_test

import (
	"bytes"
	"fmt"
	"image"
	stdjpeg "image/jpeg"
	"log"

	"github.com/clipcap-go/clipcap/clip/jpeg"
)

// The planes of a photo: luma at the image's size, chroma at half of it.
func ExampleDecode() {
	var file bytes.Buffer
	if err := stdjpeg.Encode(&file, image.NewRGBA(image.Rect(0, 0, 64, 48)), nil); err != nil {
		log.Fatal(err)
	}
	photo, err := jpeg.Decode(file.Bytes())
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range photo.Planes {
		fmt.Printf("%d×%d samples, each of %d×%d pixels\n", p.Width, p.Height, p.X, p.Y)
	}
	// Output:
	// 64×48 samples, each of 1×1 pixels
	// 32×24 samples, each of 2×2 pixels
	// 32×24 samples, each of 2×2 pixels
}
