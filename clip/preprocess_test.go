package clip

import (
	"os"
	"slices"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
)

// TestGoldenPixels: the normalised tensor is PyTorch's bit for bit, given the same square.
func TestGoldenPixels(t *testing.T) {
	want := array(t, testkit.Golden(t, "models/images/jpeg420.jpg.224.tensor.npy"))
	raw, err := os.ReadFile(testkit.Golden(t, "models/images/jpeg420.jpg.224.npy"))
	if err != nil {
		t.Fatal(err)
	}
	square := raw[len(raw)-3*224*224:]
	v := VisionConfig{ImageSize: 224, Stages: []int{1, 1, 1, 1}}
	got := make([]float32, len(square))
	v.arrange(got, square)
	for i, w := range want {
		if g := got[3*(i%(224*224))+i/(224*224)]; g != w {
			t.Fatalf("number %d is %v, want %v", i, g, w)
		}
	}
}

// TestArrange: patches from bytes and from floats agree.
func TestArrange(t *testing.T) {
	v := VisionConfig{ImageSize: 6, Patch: 2}
	square := make([]byte, 3*36)
	pixels := make([]float32, 3*36)
	for i := range square {
		square[i] = byte(i * 37)
		pixels[i%3*36+i/3] = normalised[i%3][square[i]]
	}
	a, b := make([]float32, 108), make([]float32, 108)
	v.arrange(a, square)
	v.arrangePixels(b, pixels)
	if !slices.Equal(a, b) {
		t.Errorf("bytes give %v, floats %v", a, b)
	}
	// Patch 4 (row 1, column 1), channel 2, its pixel (1, 0): image pixel x 2, y 3.
	if at := 4*12 + 2*4 + 2; a[at] != pixels[2*36+3*6+2] {
		t.Errorf("number %d is %v, want %v", at, a[at], pixels[2*36+3*6+2])
	}
}
