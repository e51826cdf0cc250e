package extract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/clipcap-go/clipcap/clip/pillow"
	"github.com/clipcap-go/clipcap/data/annotation"
)

// Images come in their order as Squared makes them, errors stand in their places, and few items are asked for before their turn.
func TestDecoderImages(t *testing.T) {
	const n, size = 150, 8 // more than the images after which garbage is collected and memory given back
	dir := t.TempDir()
	path := func(i int) string { return filepath.Join(dir, fmt.Sprintf("%d.png", i)) }
	want := make([][]byte, n)
	for i := range n {
		if i%7 == 3 {
			continue // no such file
		}
		im := image.NewGray(image.Rect(0, 0, 9+i%5, 9+i%3))
		for j := range im.Pix {
			im.Pix[j] = uint8(i + j*j)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, im); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path(i), b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
		whole, err := pillow.Decode(b.Bytes(), pillow.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if want[i], err = whole.Square(size); err != nil {
			t.Fatal(err)
		}
	}
	var asked atomic.Int64
	item := func(i int) (*Item, error) {
		asked.Add(1)
		if i == 20 {
			return nil, errors.New("no item")
		}
		return FileItem(annotation.ID(fmt.Sprint(i)), path(i)), nil
	}
	i, before := 0, int64(0)
	for im, err := range NewDecoder(size, pillow.Options{}, 3).Images(t.Context(), n, item) {
		before = max(before, asked.Load()-int64(i))
		var f *Failure
		switch {
		case i == 20:
			if err == nil || err.Error() != "no item" {
				t.Errorf("item 20: error %v", err)
			}
		case want[i] == nil:
			if !errors.As(err, &f) || f.Status != Missing {
				t.Errorf("item %d: error %v, want a missing file", i, err)
			}
		case err != nil:
			t.Errorf("item %d: %v", i, err)
		default:
			if got, err := im.Square(size); err != nil || !bytes.Equal(got, want[i]) || im.Bytes() != 3*size*size {
				t.Errorf("item %d: other pixels than Square gives (%v), in %d bytes", i, err, im.Bytes())
			}
		}
		i++
	}
	if i != n || int(asked.Load()) != n {
		t.Errorf("%d of %d images, %d asked for", i, n, asked.Load())
	}
	if most := int64(n / 2); before > most {
		t.Errorf("%d items asked for before their turn", before)
	}
}

// Who has seen enough gets no more, and a context that ends while images are read ends them.
func TestDecoderImagesStopped(t *testing.T) {
	item := func(i int) (*Item, error) { return nil, fmt.Errorf("item %d", i) }
	d := NewDecoder(8, pillow.Options{}, 1)
	seen := 0
	for range d.Images(t.Context(), 1000, item) {
		if seen++; seen == 5 {
			break
		}
	}
	if seen != 5 {
		t.Errorf("%d images after a break at the fifth", seen)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	seen = 0
	for range d.Images(ctx, 100_000, item) {
		if seen++; seen == 5 {
			cancel()
		}
	}
	if seen < 5 || seen == 100_000 {
		t.Errorf("%d of 100,000 images after a cancel at the fifth", seen)
	}
}
