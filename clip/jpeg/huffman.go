package jpeg

import (
	"errors"
)

// lookBits is how many bits are looked up at once.
const lookBits = 10

// huffman is a table of codes.
type huffman struct {
	// look gives, for the next lookBits bits, the code's length in the low and its symbol in the high byte; 0 where
	// the code is longer.
	look [1 << lookBits]uint16
	// quick does so for an AC code together with the number behind it: the number, the run of zeros before it (4 bits)
	// and the bits of both (4 bits); 0 where they are too long.
	quick  [1 << lookBits]int32
	limit  [18]int32 // by length: the first code, in 16 bits, that is longer
	offset [17]int32 // from a code of a length to its symbol's index
	symbol [256]byte
	there  bool
}

// huffmanTables reads the tables of a segment.
func (d *decoder) huffmanTables(b []byte) error {
	for len(b) > 0 {
		if len(b) < 17 || b[0]&15 > 3 || b[0]>>4 > 1 {
			return errors.New("a broken Huffman table")
		}
		t := &d.dc[b[0]&15]
		if b[0]>>4 == 1 {
			t = &d.ac[b[0]&15]
		}
		n := 0
		for _, c := range b[1:17] {
			n += int(c)
		}
		if n > 256 || len(b) < 17+n {
			return errors.New("a broken Huffman table")
		}
		if err := t.build(b[1:17], b[17:17+n]); err != nil {
			return err
		}
		b = b[17+n:]
	}
	return nil
}

// build makes the table of counts codes of each length.
func (t *huffman) build(counts, symbols []byte) error {
	*t = huffman{there: true}
	copy(t.symbol[:], symbols)
	code, index := int32(0), int32(0)
	for length := 1; length <= 16; length++ {
		t.offset[length] = index - code
		for range counts[length-1] {
			if code >= 1<<length {
				return errors.New("a Huffman table with too many codes")
			}
			if length <= lookBits {
				for i := range int32(1) << (lookBits - length) {
					t.look[code<<(lookBits-length)|i] = uint16(symbols[index])<<8 | uint16(length)
				}
			}
			code++
			index++
		}
		t.limit[length] = code << (16 - length)
		code <<= 1
	}
	t.limit[17] = 1 << 16
	for i := range t.look {
		length, symbol := int(t.look[i]&255), int(t.look[i]>>8)
		run, size := symbol>>4, symbol&15
		if total := length + size; length > 0 && size > 0 && total <= lookBits {
			v := int32(i) >> (lookBits - total) & (1<<size - 1)
			if v < 1<<(size-1) {
				v += -1<<size + 1
			}
			t.quick[i] = v<<8 | int32(run)<<4 | int32(total)
		}
	}
	return nil
}

var errCode = errors.New("a Huffman code that is not in its table: the data is damaged")

// next reads a symbol; -1 is none.
func (b *bits) next(t *huffman) int {
	if b.n < 16 {
		b.fill()
	}
	if e := t.look[b.acc>>(64-lookBits)]; e != 0 {
		b.skip(int(e & 255))
		return int(e >> 8)
	}
	code := int32(b.acc >> 48)
	length := lookBits + 1
	for code >= t.limit[length] {
		length++
	}
	if length > 16 {
		return -1
	}
	b.skip(length)
	return int(t.symbol[(code>>(16-length)+t.offset[length])&255])
}
