package pillow

import "github.com/clipcap-go/clipcap/clip/jpeg"

// Scratch is memory that images decoded one after the other share: what a photo needs on its way to its square is several times
// the square. The zero value is ready.
type Scratch struct {
	jpeg        jpeg.Memory
	rows, strip []byte
}

// keptScratch is how much a Scratch keeps from one image to the next.
const keptScratch = 4 << 20

// Squared is Decode and then Image.Squared. The image has nothing to do with s.
func (s *Scratch) Squared(data []byte, o Options, n int) (*Image, error) {
	im, err := s.decode(data, o)
	if err == nil {
		im, err = im.squared(n, s)
	}
	if s.jpeg.Bytes()+cap(s.rows)+cap(s.strip) > keptScratch {
		*s = Scratch{}
	}
	return im, err
}

// room is n bytes of memory, and more behind them, of arbitrary content.
func room(memory *[]byte, n, more int) []byte {
	if cap(*memory) < n+more {
		*memory = make([]byte, n+more)
	}
	return (*memory)[: n : n+more]
}
