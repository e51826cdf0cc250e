package pillow

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/png"
	"io"

	"github.com/clipcap-go/clipcap/clip/jpeg"
	"github.com/clipcap-go/clipcap/internal/files"
)

// MaxPixels is the largest image decoded by default, the one from which on Pillow too takes an image for an attack.
const MaxPixels = 178956970

// maxFile bounds an image file; no image within MaxPixels needs more in any format in use.
const maxFile = 1 << 30

// ErrFormat is in the chain of the errors for what is no image of a known kind.
var ErrFormat = errors.New("not a JPEG, PNG, GIF, WebP or BMP image")

// ErrTooLarge is in the chain of the errors for images of more pixels than Options allow.
var ErrTooLarge = errors.New("too large")

// Options say what Decode accepts. The zero value is right for most.
type Options struct {
	MaxPixels int  // refuse larger images before memory is taken for them; 0: MaxPixels
	EXIF      bool // turn the image as its EXIF orientation says; Pillow, and so CLIP, does not
}

// format is one kind of file: how it begins, how to read its size, how to read it.
type format struct {
	name   string
	magic  string // '?' stands for any byte
	size   func(data []byte) (width, height int, err error)
	decode func(data []byte, s *Scratch) (*Image, error)

	perPixel int // bytes of a pixel while it is decoded, about
}

var formats = []format{
	{"JPEG", "\xff\xd8\xff", jpeg.Size, decodeJPEG, 3},
	{"PNG", "\x89PNG\r\n\x1a\n", sizeBy(png.DecodeConfig), fresh(decodePNG), 8},
	{"GIF", "GIF8?a", sizeBy(gif.DecodeConfig), fresh(decodeGIF), 2},
	{"WebP", "RIFF????WEBP", webpSize, fresh(decodeWebP), 8},
	{"BMP", "BM", bmpSize, fresh(decodeBMP), 8},
}

// fresh is a decoder that takes its memory from the heap.
func fresh(decode func(data []byte) (*Image, error)) func([]byte, *Scratch) (*Image, error) {
	return func(data []byte, _ *Scratch) (*Image, error) { return decode(data) }
}

// sizeBy reads the size with a decoder of the standard library's manner.
func sizeBy(config func(io.Reader) (image.Config, error)) func([]byte) (int, int, error) {
	return func(data []byte) (int, int, error) {
		c, err := config(bytes.NewReader(data))
		return c.Width, c.Height, err
	}
}

func (f *format) matches(data []byte) bool {
	if len(data) < len(f.magic) {
		return false
	}
	for i := range len(f.magic) {
		if f.magic[i] != '?' && f.magic[i] != data[i] {
			return false
		}
	}
	return true
}

// Open decodes the image file at path; errors name it.
func Open(path string, o Options) (*Image, error) {
	f, err := files.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read image: %w", err)
	}
	defer f.Close()
	var b bytes.Buffer
	if s, err := f.Stat(); err == nil && s.Mode().IsRegular() && s.Size() < maxFile {
		b.Grow(int(s.Size()) + bytes.MinRead)
	}
	if _, err := b.ReadFrom(io.LimitReader(f, maxFile+1)); err != nil {
		return nil, fmt.Errorf("read image: %w", err)
	}
	im, err := Decode(b.Bytes(), o)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", path, err)
	}
	return im, nil
}

// Decode decodes an image file held in memory; its kind follows from its content. Of an animation it is the first
// image. A damaged or cut file is an error.
func Decode(data []byte, o Options) (*Image, error) { return new(Scratch).decode(data, o) }

// decode is Decode with pixels that may lie in s, until s decodes the next image.
func (s *Scratch) decode(data []byte, o Options) (*Image, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("%d bytes, want at most %d", len(data), maxFile)
	}
	for i := range formats {
		f := &formats[i]
		if !f.matches(data) {
			continue
		}
		w, h, err := f.size(data)
		if err != nil {
			return nil, fmt.Errorf("read %s header: %w", f.name, cut(err))
		}
		if limit := o.maxPixels(); w < 1 || h < 1 {
			return nil, fmt.Errorf("%s of %d×%d pixels, want 1 to %d in all", f.name, w, h, limit)
		} else if w > limit/h {
			return nil, fmt.Errorf("%s of %d×%d pixels, want 1 to %d in all: %w", f.name, w, h, limit, ErrTooLarge)
		}
		im, err := f.decode(data, s)
		if err != nil {
			return nil, fmt.Errorf("decode %s: %w", f.name, cut(err))
		}
		if o.EXIF {
			im = im.orient(orientation(data))
		}
		return im, nil
	}
	if len(data) == 0 {
		return nil, fmt.Errorf("empty file: %w", ErrFormat)
	}
	if name := other(data); name != "" {
		return nil, fmt.Errorf("%s: %w; convert it first", name, ErrFormat)
	}
	return nil, fmt.Errorf("begins with %.16q: %w", data[:min(len(data), 16)], ErrFormat)
}

// Memory estimates the bytes that decoding data takes beside data itself, from the size in its header; 0 where that cannot be
// told, or Decode refuses it.
func (o Options) Memory(data []byte) int {
	for i := range formats {
		f := &formats[i]
		if !f.matches(data) {
			continue
		}
		w, h, err := f.size(data)
		if err != nil || w < 1 || h < 1 || w > o.maxPixels()/h {
			return 0
		}
		n := f.perPixel * w * h
		if o.EXIF && orientation(data) > 1 {
			n += 6 * w * h // converted, and turned
		}
		return n
	}
	return 0
}

func (o Options) maxPixels() int {
	if o.MaxPixels > 0 {
		return o.MaxPixels
	}
	return MaxPixels
}

// cut makes the end of the data say what it means.
func cut(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("the file is cut short: %w", io.ErrUnexpectedEOF)
	}
	return err
}
