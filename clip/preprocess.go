package clip

import (
	"fmt"
	"image"

	"github.com/clipcap-go/clipcap/clip/pillow"
)

// Image is a decoded image; see OpenImage, DecodeImage and FromImage.
type Image = pillow.Image

// ImageOptions say what is decoded; the zero value is what the published features were made with.
type ImageOptions = pillow.Options

// OpenImage decodes an image file: JPEG, PNG, GIF, WebP or BMP. Errors name the file.
func OpenImage(path string) (*Image, error) { return pillow.Open(path, ImageOptions{}) }

// DecodeImage decodes an image file held in memory.
func DecodeImage(data []byte, o ImageOptions) (*Image, error) { return pillow.Decode(data, o) }

// FromImage takes over an image of the standard library.
func FromImage(m image.Image) *Image { return pillow.FromImage(m) }

// Channel means and deviations that CLIP's images are normalised with.
var (
	means      = [3]float32{0.48145466, 0.4578275, 0.40821073}
	deviations = [3]float32{0.26862954, 0.26130258, 0.27577711}
)

// normalised[c][v] is byte v of channel c as the encoders see it, rounded as PyTorch rounds.
var normalised = func() (table [3][256]float32) {
	for c := range table {
		for v := range table[c] {
			table[c][v] = (float32(v)/255 - means[c]) / deviations[c]
		}
	}
	return table
}()

// Pixels is an image as an encoder wants it: float32 [3, size, size], normalised, of the square cut from the resized
// image.
func Pixels(im *Image, size int) ([]float32, error) {
	square, err := im.Square(size)
	if err != nil {
		return nil, fmt.Errorf("preprocess image: %w", err)
	}
	out := make([]float32, len(square))
	plane := size * size
	for i := range plane {
		for c := range 3 {
			out[c*plane+i] = normalised[c][square[3*i+c]]
		}
	}
	return out, nil
}

// arrange lays the square of an image out as the encoder's graph reads it; see pixelRows.
func (v VisionConfig) arrange(dst []float32, square []byte) {
	if v.ResNet() {
		for i := 0; i+3 <= len(square); i += 3 {
			dst[i], dst[i+1], dst[i+2] = normalised[0][square[i]], normalised[1][square[i+1]], normalised[2][square[i+2]]
		}
		return
	}
	p := v.Patch
	v.eachRun(func(to, from int) {
		r, g, b := dst[to:][:p], dst[to+p*p:][:p], dst[to+2*p*p:][:p]
		s := square[3*from:][:3*p]
		for i := range p {
			r[i], g[i], b[i] = normalised[0][s[3*i]], normalised[1][s[3*i+1]], normalised[2][s[3*i+2]]
		}
	})
}

// arrangePixels does the same for float32 [3, size, size].
func (v VisionConfig) arrangePixels(dst, pixels []float32) {
	plane := v.ImageSize * v.ImageSize
	if v.ResNet() {
		for i := range plane {
			dst[3*i], dst[3*i+1], dst[3*i+2] = pixels[i], pixels[plane+i], pixels[2*plane+i]
		}
		return
	}
	p := v.Patch
	v.eachRun(func(to, from int) {
		for c := range 3 {
			copy(dst[to+c*p*p:][:p], pixels[c*plane+from:])
		}
	})
}

// eachRun calls f for every run of pixels that lies in one patch: its pixel from of the image goes to number to, in the
// first channel.
func (v VisionConfig) eachRun(f func(to, from int)) {
	p, grid := v.Patch, v.grid()
	for y := range v.ImageSize {
		for x := range grid {
			f((y/p*grid+x)*3*p*p+y%p*p, y*v.ImageSize+x*p)
		}
	}
}
