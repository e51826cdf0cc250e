package pillow_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"log"

	"github.com/clipcap-go/clipcap/clip/pillow"
)

// What CLIP sees of a picture: the square in its middle, resized.
func ExampleImage_Square() {
	picture := image.NewGray(image.Rect(0, 0, 8, 4)) // gray columns, brighter to the right
	for i := range picture.Pix {
		picture.Pix[i] = byte(30 * (i % 8))
	}
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		log.Fatal(err)
	}
	m, err := pillow.Decode(file.Bytes(), pillow.Options{})
	if err != nil {
		log.Fatal(err)
	}
	square, err := m.Square(2)
	if err != nil {
		log.Fatal(err)
	}
	for row := range 2 {
		fmt.Println(square[6*row:][:6]) // two pixels of red, green and blue
	}
	// Output:
	// [74 74 74 136 136 136]
	// [74 74 74 136 136 136]
}
