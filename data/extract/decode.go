package extract

import (
	"context"
	"errors"
	"runtime"
	"sync"

	"github.com/clipcap-go/clipcap/clip/pillow"
)

// decodeRoom is how many bytes the pixels of images being decoded may take together: two photos of twelve megapixels, or any number
// of small ones. One image is always decoded, however large.
const decodeRoom = 40 << 20

// Decoder turns items into the squares that an encoder takes, a few at a time, fewer where they are large. It may be used by any
// number of goroutines.
type Decoder struct {
	size    int
	options pillow.Options

	mu   sync.Mutex
	free sync.Cond
	left int // images that may be begun
	room int // bytes that their pixels may take
	busy int // images being decoded

	scratch []*pillow.Scratch // not in use
}

// NewDecoder makes squares of size pixels, of at most workers images at once; 0: GOMAXPROCS.
func NewDecoder(size int, o pillow.Options, workers int) *Decoder {
	if workers < 1 {
		workers = runtime.GOMAXPROCS(0)
	}
	d := &Decoder{size: size, options: o, left: workers, room: decodeRoom}
	d.free.L = &d.mu
	return d
}

// load waits for an item's turn and loads it.
func (d *Decoder) load(ctx context.Context, it *Item) (im *pillow.Image, err error) {
	leave, err := it.wait(ctx)
	if err != nil {
		return nil, err
	}
	return d.loadNow(ctx, it, leave)
}

// loadNow loads an item whose turn it is, leaves that to others, decodes the item and cuts its square, as an image that is nothing
// else. A *Failure says what is wrong with the item.
func (d *Decoder) loadNow(ctx context.Context, it *Item, leave func()) (im *pillow.Image, err error) {
	if it.pixels != nil { // nobody waits for them
		return nil, fail(NotImage, "pixels are no image file")
	}
	data, err := it.load(ctx)
	leave()
	if err != nil {
		return nil, err
	}
	var f *Failure
	switch im, err = d.square(data); {
	case errors.As(err, &f):
		return nil, f
	case errors.Is(err, pillow.ErrFormat):
		return nil, &Failure{NotImage, err}
	case errors.Is(err, pillow.ErrTooLarge):
		return nil, &Failure{TooLarge, err}
	case err != nil:
		return nil, &Failure{Damaged, err}
	}
	return im, nil
}

// square decodes an image file and cuts its square, once there is room for it.
func (d *Decoder) square(data []byte) (im *pillow.Image, err error) {
	n := d.options.Memory(data)
	s := d.begin(n)
	defer func() {
		if p := recover(); p != nil { // a decoder's bug must not cost the run
			im, err = nil, fail(Damaged, "the decoder gave up: %v", p)
			s = new(pillow.Scratch)
		}
		d.end(n, s)
	}()
	return s.Squared(data, d.options, d.size)
}

// begin waits until there is room for an image of n bytes.
func (d *Decoder) begin(n int) *pillow.Scratch {
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.busy > 0 && (d.left == 0 || d.room < n) {
		d.free.Wait()
	}
	d.left--
	d.busy++
	d.room -= n
	if last := len(d.scratch) - 1; last >= 0 {
		s := d.scratch[last]
		d.scratch = d.scratch[:last]
		return s
	}
	return new(pillow.Scratch)
}

func (d *Decoder) end(n int, s *pillow.Scratch) {
	d.mu.Lock()
	d.left++
	d.busy--
	d.room += n
	d.scratch = append(d.scratch, s)
	d.mu.Unlock()
	d.free.Broadcast()
}
