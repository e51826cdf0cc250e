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
