package jpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Colors says what the components of an image are.
type Colors uint8

// The meanings of one, three and four components.
const (
	Gray  Colors = iota
	YCbCr        // of JFIF: full range
	RGB
	CMYK
	YCCK // CMYK with its first three as YCbCr
)

// Plane holds one component, its samples in rows Stride apart.
type Plane struct {
	Pix    []byte
	Stride int
	Width  int // samples that belong to the image
	Height int
	// X and Y are how many pixels of the image lie side by side, and one below the other, under a sample.
	X, Y int
}

// Image is a decoded file.
type Image struct {
	Width, Height int
	Colors        Colors
	Planes        []Plane
}

// Markers.
const (
	sof0  = 0xc0 // baseline
	sof1  = 0xc1 // extended sequential
	sof2  = 0xc2 // progressive
	dht   = 0xc4
	jpg   = 0xc8
	dac   = 0xcc
	rst0  = 0xd0
	rst7  = 0xd7
	soi   = 0xd8
	eoi   = 0xd9
	sos   = 0xda
	dqt   = 0xdb
	dri   = 0xdd
	app0  = 0xe0
	app14 = 0xee
	tem   = 0x01
)

// maxScans bounds the work a small file can ask for; encoders use some ten.
const maxScans = 256

// component is what the frame header says of a component.
type component struct {
	id          byte
	h, v        int // sampling factors
	table       byte
	wide, high  int // blocks, up to whole units of all components
	across, row int // blocks that hold samples of the image
	plane       Plane
	coefs       []int16 // progressive: 64 a block
	dc          int32   // of the block before
}

// decoder reads one file.
type decoder struct {
	bits
	width, height int
	progressive   bool
	comps         []component
	hmax, vmax    int
	unitsX        int // units of all components side by side
	unitsY        int
	quant         [4][64]int32 // in natural order
	haveQuant     [4]bool
	dc, ac        [4]huffman
	restart       int // units between restart markers
	jfif          bool
	adobe         int // transform, -1: none said
	scans         int
	runEnd        int // progressive: blocks left in an end-of-band run
	memory        *Memory
	done          [4]bool
}

// Size reads the header up to the size of the image.
func Size(data []byte) (width, height int, err error) {
	d := &decoder{bits: bits{data: data}, adobe: -1}
	if err := d.read(true); err != nil {
		return 0, 0, err
	}
	return d.width, d.height, nil
}

// Memory is what decodings one after the other share. The zero value is ready.
type Memory struct {
	samples []byte
	coefs   []int16
}

// Bytes is how much there is of it.
func (m *Memory) Bytes() int { return cap(m.samples) + 2*cap(m.coefs) }

// Decode decodes a file. Its size should have been looked at with Size.
func Decode(data []byte) (*Image, error) { return new(Memory).Decode(data) }

// Decode is Decode of an image whose planes lie in m until the next.
func (m *Memory) Decode(data []byte) (*Image, error) {
	d := &decoder{bits: bits{data: data}, adobe: -1, memory: m}
	if err := d.read(false); err != nil {
		return nil, err
	}
	if d.progressive {
		d.transformAll()
	}
	im := &Image{Width: d.width, Height: d.height, Colors: d.colors()}
	for i := range d.comps {
		im.Planes = append(im.Planes, d.comps[i].plane)
	}
	return im, nil
}

// read goes through the markers to the end, or to the frame header.
func (d *decoder) read(header bool) error {
	if len(d.data) < 2 || d.data[0] != 0xff || d.data[1] != soi {
		return errors.New("no start marker: not a JPEG")
	}
	d.pos = 2
	for {
		marker, err := d.marker()
		if err != nil {
			return err
		}
		switch {
		case marker == eoi:
			return d.complete()
		case marker >= rst0 && marker <= rst7, marker == tem:
			continue // between segments they mean nothing
		}
		body, err := d.segment()
		if err != nil {
			return err
		}
		switch {
		case marker == sof0, marker == sof1, marker == sof2:
			d.progressive = marker == sof2
			if err := d.frame(body); err != nil || header {
				return err
			}
			d.allocate()
		case marker >= sof0 && marker <= 0xcf && marker != dht && marker != jpg && marker != dac:
			return fmt.Errorf("frame type %#x (lossless, hierarchical or arithmetic-coded) is not supported", marker)
		case marker == dht:
			err = d.huffmanTables(body)
		case marker == dqt:
			err = d.quantTables(body)
		case marker == dri:
			if len(body) != 2 {
				return errors.New("a restart interval of wrong length")
			}
			d.restart = int(binary.BigEndian.Uint16(body))
		case marker == sos:
			err = d.scan(body)
		case marker == app0 && bytes.HasPrefix(body, []byte("JFIF\x00")):
			d.jfif = true
		case marker == app14 && bytes.HasPrefix(body, []byte("Adobe")) && len(body) >= 12:
			d.adobe = int(body[11])
		}
		if err != nil {
			return err
		}
	}
}

// marker finds the next marker; what stands before it does not count, as libjpeg has it.
func (d *decoder) marker() (byte, error) {
	for d.pos+1 < len(d.data) {
		if d.data[d.pos] == 0xff && d.data[d.pos+1] != 0 && d.data[d.pos+1] != 0xff {
			d.pos += 2
			return d.data[d.pos-1], nil
		}
		d.pos++
	}
	return 0, io.ErrUnexpectedEOF
}

// segment is the body behind a marker.
func (d *decoder) segment() ([]byte, error) {
	if d.pos+2 > len(d.data) {
		return nil, io.ErrUnexpectedEOF
	}
	n := int(binary.BigEndian.Uint16(d.data[d.pos:]))
	if n < 2 {
		return nil, errors.New("a segment shorter than its length")
	}
	if d.pos+n > len(d.data) {
		return nil, io.ErrUnexpectedEOF
	}
	body := d.data[d.pos+2 : d.pos+n]
	d.pos += n
	return body, nil
}

// complete checks at the end that every component came.
func (d *decoder) complete() error {
	if len(d.comps) == 0 {
		return errors.New("no frame in the file")
	}
	for i := range d.comps {
		if !d.done[i] {
			return fmt.Errorf("no scan of component %d", i)
		}
	}
	return nil
}

// frame reads the frame header.
func (d *decoder) frame(b []byte) error {
	if len(d.comps) > 0 {
		return errors.New("a second frame")
	}
	if len(b) < 6 || len(b) != 6+3*int(b[5]) {
		return errors.New("a frame header of wrong length")
	}
	if b[0] != 8 {
		return fmt.Errorf("%d bits a sample, want 8", b[0])
	}
	d.height, d.width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	if d.width == 0 || d.height == 0 {
		return errors.New("an image without size")
	}
	n := int(b[5])
	if n != 1 && n != 3 && n != 4 {
		return fmt.Errorf("%d components, want 1, 3 or 4", n)
	}
	d.hmax, d.vmax = 1, 1
	for i := range n {
		c := component{id: b[6+3*i], h: int(b[7+3*i] >> 4), v: int(b[7+3*i] & 15), table: b[8+3*i]}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.table > 3 {
			return fmt.Errorf("component %d: sampling %d×%d, table %d", i, c.h, c.v, c.table)
		}
		for j := range d.comps {
			if d.comps[j].id == c.id {
				return fmt.Errorf("two components are called %d", c.id)
			}
		}
		if n == 1 {
			c.h, c.v = 1, 1 // a lone component has no ratio to others
		}
		d.hmax, d.vmax = max(d.hmax, c.h), max(d.vmax, c.v)
		d.comps = append(d.comps, c)
	}
	for i, c := range d.comps {
		if d.hmax%c.h != 0 || d.vmax%c.v != 0 {
			return fmt.Errorf("component %d: sampling %d×%d of %d×%d is no whole ratio", i, c.h, c.v, d.hmax, d.vmax)
		}
	}
	return nil
}

// zeroed is v with length n and zeros.
func zeroed[T any](v []T, n int) []T {
	if cap(v) < n {
		return make([]T, n)
	}
	v = v[:n]
	clear(v)
	return v
}

// allocate makes the planes.
func (d *decoder) allocate() {
	d.unitsX, d.unitsY = over(d.width, 8*d.hmax), over(d.height, 8*d.vmax)
	total := 0
	for i := range d.comps {
		total += 64 * d.unitsX * d.comps[i].h * d.unitsY * d.comps[i].v
	}
	m := d.memory
	m.samples = zeroed(m.samples, total)
	if d.progressive {
		m.coefs = zeroed(m.coefs, total)
	}
	at := 0
	for i := range d.comps {
		c := &d.comps[i]
		c.wide, c.high = d.unitsX*c.h, d.unitsY*c.v
		x, y := d.hmax/c.h, d.vmax/c.v
		w, h := over(d.width, x), over(d.height, y)
		c.across, c.row = over(w, 8), over(h, 8)
		end := at + 64*c.wide*c.high
		c.plane = Plane{Pix: m.samples[at:end:end], Stride: 8 * c.wide, Width: w, Height: h, X: x, Y: y}
		if d.progressive {
			c.coefs = m.coefs[at:end:end]
		}
		at = end
	}
}

// over is a/b rounded up.
func over(a, b int) int { return (a + b - 1) / b }

// colors guesses what the components are, as libjpeg does.
func (d *decoder) colors() Colors {
	switch len(d.comps) {
	case 1:
		return Gray
	case 4:
		if d.adobe > 0 {
			return YCCK
		}
		return CMYK
	}
	if d.jfif {
		return YCbCr
	}
	if d.adobe == 0 || d.adobe < 0 && d.comps[0].id == 'R' && d.comps[1].id == 'G' && d.comps[2].id == 'B' {
		return RGB
	}
	return YCbCr
}

// quantTables reads tables of quantisation steps.
func (d *decoder) quantTables(b []byte) error {
	for len(b) > 0 {
		t, wide := b[0]&15, b[0]>>4
		b = b[1:]
		if t > 3 || wide > 1 || len(b) < 64*(1+int(wide)) {
			return errors.New("a broken quantisation table")
		}
		for i, at := range zigzag {
			if wide == 1 {
				d.quant[t][at] = int32(binary.BigEndian.Uint16(b[2*i:]))
			} else {
				d.quant[t][at] = int32(b[i])
			}
		}
		d.haveQuant[t] = true
		b = b[64*(1+int(wide)):]
	}
	return nil
}

// zigzag is where the coefficients of a block go in the order of the file.
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}
