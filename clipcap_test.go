package clipcap

import (
	"context"
	"errors"
	"image"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/clipcap-go/clipcap/gpt2"
)

func TestCaption(t *testing.T) {
	ctx := context.Background()
	m, err := Open(ctx, tinyCheckpoint(t, true, nil), Options{CLIP: tinyCLIP(t, 12), Decode: short()})
	if err != nil {
		t.Fatal(err)
	}
	images := photos(7)
	want, err := m.Caption(ctx, images...)
	if err != nil {
		t.Fatal(err)
	}
	if len(want) != 7 || len(want[0]) != 1 || want[0][0].Text == "" || !(want[0][0].Score < 0) {
		t.Fatalf("captions %+v", want)
	}
	tokenizer, err := gpt2.DefaultTokenizer()
	if err != nil {
		t.Fatal(err)
	}
	if text, err := tokenizer.Decode(want[2][0].Tokens); err != nil || gpt2.CleanUp(text) != want[2][0].Text {
		t.Errorf("caption %q, but its tokens say %q, %v", want[2][0].Text, text, err)
	}

	// One at a time, from several callers, the captions are the same.
	var group sync.WaitGroup
	for i := range images {
		group.Go(func() {
			got, err := m.Caption(ctx, images[i])
			if err != nil || !reflect.DeepEqual(got[0], want[i]) {
				t.Errorf("image %d alone: %v, %v, want %v", i, got, err, want[i])
			}
		})
	}
	group.Wait()

	// A stream keeps its order, and an error its place.
	broken := errors.New("torn")
	stream := func(yield func(image.Image, error) bool) {
		_ = yield(images[0], nil) && yield(nil, broken) && yield(image.NewRGBA(image.Rectangle{}), nil) && yield(images[1], nil) &&
			yield(image.White, nil)
	}
	n := 0
	for got, err := range m.CaptionAll(ctx, stream) {
		switch n {
		case 0, 3:
			if err != nil || !reflect.DeepEqual(got, want[n/3]) {
				t.Errorf("image %d of the stream: %v, %v", n, got, err)
			}
		case 1:
			if !errors.Is(err, broken) {
				t.Errorf("image 1 of the stream: error %v", err)
			}
		case 2:
			if err == nil {
				t.Error("an empty image has a caption")
			}
		case 4:
			if err == nil {
				t.Error("an endless image has a caption")
			}
		}
		n++
	}
	if n != 5 {
		t.Errorf("%d results for 5 images", n)
	}
	for range m.CaptionAll(ctx, stream) {
		break // leaving early is fine
	}
	if none, err := m.Caption(ctx); err != nil || len(none) != 0 {
		t.Errorf("no images: %v, %v", none, err)
	}
	stopped, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := m.Caption(stopped, images...); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancelling: error %v", err)
	}
}

func TestPrompt(t *testing.T) {
	ctx := context.Background()
	o := Options{FeaturesOnly: true, Decode: short(), Prompt: "A photo of", Stop: " dog."}
	m, err := Open(ctx, tinyCheckpoint(t, true, nil), o)
	if err != nil {
		t.Fatal(err)
	}
	if m.options.Decode.Stop != 3290 { // " dog"
		t.Errorf("the stop token is %d, want 3290", m.options.Decode.Stop)
	}
	for got, err := range m.CaptionFeatures(ctx, one(make([]float32, 12))) {
		if err != nil || !strings.HasPrefix(got[0].Text, "A photo of") || len(got[0].Tokens) > 3+6 {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

// TestPixels: pixels of another size are errors, also where two images' numbers are a whole number of right ones.
func TestPixels(t *testing.T) {
	m, err := Open(context.Background(), tinyCheckpoint(t, true, nil), Options{CLIP: tinyCLIP(t, 12), Decode: short()})
	if err != nil {
		t.Fatal(err)
	}
	stream := func(yield func([]float32, error) bool) {
		for _, size := range []int{32, 64, 16, 32} {
			if !yield(make([]float32, 3*size*size), nil) {
				return
			}
		}
	}
	var good []bool
	for f, err := range m.PixelFeatures(context.Background(), stream) {
		good = append(good, err == nil && len(f) == 12)
	}
	if want := []bool{true, false, false, true}; !slices.Equal(good, want) {
		t.Errorf("features %v, want %v", good, want)
	}
}

func TestBatched(t *testing.T) {
	bad := errors.New("bad")
	in := func(yield func(int, error) bool) {
		for i := range 7 {
			var err error
			if i == 2 || i == 3 {
				err = bad
			}
			if !yield(i, err) {
				return
			}
		}
	}
	for _, n := range []int{1, 2, 3, 100} {
		i := 0
		for v, err := range batched(in, n, func(x []int) ([]int, error) {
			out := make([]int, len(x))
			for i := range x {
				out[i] = 10 * x[i]
			}
			return out, nil
		}) {
			if i == 2 || i == 3 {
				if !errors.Is(err, bad) {
					t.Errorf("batches of %d: place %d has error %v", n, i, err)
				}
			} else if err != nil || v != 10*i {
				t.Errorf("batches of %d: place %d is %d, %v", n, i, v, err)
			}
			i++
		}
		if i != 7 {
			t.Errorf("batches of %d: %d values", n, i)
		}
		for _, err := range batched(in, n, func([]int) ([]int, error) { return nil, bad }) {
			if !errors.Is(err, bad) {
				t.Error("the error of a batch is lost")
			}
		}
	}
}
