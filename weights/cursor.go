package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// window is how much a cursor reads at a time.
const window = 64 << 10

// cursor reads a section from front to back, and can step over parts of it without reading them.
type cursor struct {
	src section
	at  int64  // of the next byte
	buf []byte // a part of src that begins at bufAt
	// bufAt is where buf begins.
	bufAt int64
}

func (c *cursor) left() int64 { return c.src.n - c.at }

var errShort = errors.New("the file ends too early")

// peek gives the next n bytes; they stay valid until the next call.
func (c *cursor) peek(n int) ([]byte, error) {
	if int64(n) > c.left() {
		return nil, fmt.Errorf("%w: %d bytes wanted, %d left", errShort, n, c.left())
	}
	if from := c.at - c.bufAt; from >= 0 && from+int64(n) <= int64(len(c.buf)) {
		return c.buf[from : from+int64(n)], nil
	}
	size := int(min(int64(max(n, window)), c.left()))
	if cap(c.buf) < size {
		c.buf = make([]byte, size)
	}
	c.buf, c.bufAt = c.buf[:size], c.at
	if _, err := c.src.ReadAt(c.buf, c.at); err != nil && err != io.EOF {
		c.buf = c.buf[:0]
		return nil, err
	}
	return c.buf[:n], nil
}

// take is peek and step; n counts from the file and is compared with what is left before memory is taken.
func (c *cursor) take(n int64) ([]byte, error) {
	if n < 0 || n > c.left() {
		return nil, fmt.Errorf("%w: %d bytes wanted, %d left", errShort, n, c.left())
	}
	p, err := c.peek(int(n))
	c.at += n
	return p, err
}

// text is take as a string; a long one does not stay in the buffer.
func (c *cursor) text(n int64) (string, error) {
	p, err := c.take(n)
	s := string(p)
	if cap(c.buf) > 16*window {
		c.buf = nil
	}
	return s, err
}

// skip steps over n bytes and gives their section.
func (c *cursor) skip(n int64) (section, error) {
	s, err := c.src.sub(c.at, n)
	if err != nil {
		return s, fmt.Errorf("%w: %d bytes wanted, %d left", errShort, n, c.left())
	}
	c.at += n
	return s, nil
}

// line is the text up to a newline, which is stepped over.
func (c *cursor) line() (string, error) {
	const most = 512
	p, err := c.peek(int(min(most, c.left())))
	if err != nil {
		return "", err
	}
	n := bytes.IndexByte(p, '\n')
	if n < 0 {
		return "", fmt.Errorf("a name without an end")
	}
	s := string(p[:n])
	c.at += int64(n) + 1
	return s, nil
}

func (c *cursor) byte() (byte, error) {
	p, err := c.take(1)
	if err != nil {
		return 0, err
	}
	return p[0], nil
}

func (c *cursor) u16() (uint16, error) {
	p, err := c.take(2)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint16(p), nil
}

func (c *cursor) u32() (uint32, error) {
	p, err := c.take(4)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(p), nil
}

func (c *cursor) u64() (uint64, error) {
	p, err := c.take(8)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(p), nil
}
