package jpeg

import (
	"encoding/binary"
	"io"
)

// bits reads the entropy-coded data of a scan.
type bits struct {
	data []byte
	pos  int
	acc  uint64 // the next bits, at the top
	n    int    // how many of them there are
	past int    // zeros handed out after the data's end, in bits
}

// fill makes at least 56 bits ready. Behind a marker, and behind the end of the file, come zeros.
func (b *bits) fill() {
	if b.pos+8 <= len(b.data) {
		x := binary.BigEndian.Uint64(b.data[b.pos:])
		if inv := ^x; (inv-0x0101010101010101)&x&0x8080808080808080 == 0 { // no byte is 0xff
			take := (64 - b.n) / 8
			b.acc |= x >> b.n
			b.pos += take
			b.n += 8 * take
			// Bits of the byte behind the last whole one are there too; they will be read again.
			if b.n < 64 {
				b.acc &= ^uint64(0) << (64 - b.n)
			}
			return
		}
	}
	for b.n <= 56 {
		v := byte(0)
		switch {
		case b.pos >= len(b.data):
			b.past += 8
		case b.data[b.pos] != 0xff:
			v = b.data[b.pos]
			b.pos++
		case b.pos+1 < len(b.data) && b.data[b.pos+1] == 0:
			v = 0xff
			b.pos += 2
		default: // a marker
			b.past += 8
		}
		b.acc |= uint64(v) << (56 - b.n)
		b.n += 8
	}
}

// skip drops n bits, which are there.
func (b *bits) skip(n int) {
	b.acc <<= n
	b.n -= n
}

// take reads n bits, at most 16.
func (b *bits) take(n int) int32 {
	if b.n < n {
		b.fill()
	}
	v := int32(b.acc >> 32 >> (32 - n))
	b.skip(n)
	return v
}

// extended reads the n bits of a number in JPEG's signed form (T.81, F.2.2.1).
func (b *bits) extended(n int) int32 {
	v := b.take(n)
	if n > 0 && v < 1<<(n-1) {
		v += -1<<n + 1
	}
	return v
}

// align drops the bits up to the next marker, and tells data that ended before it should.
func (b *bits) align() error {
	if b.past > b.n && b.pos >= len(b.data) { // zeros behind the end of the file were used
		return io.ErrUnexpectedEOF
	}
	b.acc, b.n, b.past = 0, 0, 0
	return nil
}
