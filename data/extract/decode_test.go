package extract

import (
	"sync"
	"testing"
	"time"

	"github.com/clipcap-go/clipcap/clip/pillow"
)

// TestDecoderBounds: images whose pixels take more than there is room for are decoded one after the other, an image larger than
// all room alone, and all of them are done in the end.
func TestDecoderBounds(t *testing.T) {
	d := NewDecoder(8, pillow.Options{}, 3)
	var mu sync.Mutex
	busy, bytes, images, most, worst := 0, 0, 0, 0, 0
	var group sync.WaitGroup
	for i := range 60 {
		n := []int{1 << 10, decodeRoom / 2, decodeRoom/2 + 1, 3 * decodeRoom}[i%4]
		group.Go(func() {
			s := d.begin(n)
			mu.Lock()
			busy, bytes, images = busy+1, bytes+n, images+1
			most = max(most, busy)
			if busy > 1 {
				worst = max(worst, bytes)
			}
			mu.Unlock()
			time.Sleep(100 * time.Microsecond)
			mu.Lock()
			busy, bytes = busy-1, bytes-n
			mu.Unlock()
			d.end(n, s)
		})
	}
	group.Wait()
	if images != 60 || most > 3 || worst > decodeRoom || d.left != 3 || d.room != decodeRoom {
		t.Errorf("%d images, at most %d at once with %d bytes; %d left, room %d", images, most, worst, d.left, d.room)
	}
}
