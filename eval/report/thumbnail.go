package report

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/jpeg"
	_ "image/png" // a thumbnail's source may be either
	"os"
	"path/filepath"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/internal/files"
)

const (
	thumbnailSide = 288       // of the longer side, in pixels
	maxPixels     = 100 << 20 // of an image that is worth decoding for a thumbnail
)

// ImageFile finds an image's file in a folder: under the name the annotations give it, or its id with a usual ending.
func ImageFile(dir string, im *annotation.Image) (string, bool) {
	names := []string{im.File}
	for _, end := range []string{".jpg", ".jpeg", ".png"} {
		names = append(names, string(im.ID)+end)
	}
	for _, name := range names {
		if name == "" || !filepath.IsLocal(filepath.FromSlash(name)) {
			continue
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, true
		}
	}
	return "", false
}

// Thumbnails makes thumbnails of the JPEG and PNG images of a folder; an image that is not there or cannot be read has none.
func Thumbnails(dir string) Thumbnail {
	return func(p annotation.Pair) string {
		path, ok := ImageFile(dir, p.Image)
		if !ok {
			return ""
		}
		address, err := thumbnail(path)
		if err != nil {
			return ""
		}
		return address
	}
}

// thumbnail is the data: address of a file's image, made small.
func thumbnail(path string) (string, error) {
	f, err := files.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	size, _, err := image.DecodeConfig(f)
	if err != nil {
		return "", err
	}
	if int64(size.Width)*int64(size.Height) > maxPixels {
		return "", image.ErrFormat
	}
	if _, err := f.Seek(0, 0); err != nil {
		return "", err
	}
	full, _, err := image.Decode(f)
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, shrink(full, thumbnailSide), &jpeg.Options{Quality: 80}); err != nil {
		return "", err
	}
	return "data:image/jpeg;base64," + base64.StdEncoding.EncodeToString(out.Bytes()), nil
}

// shrink averages the pixels of src that fall on each pixel of an image whose longer side is at most side.
func shrink(src image.Image, side int) image.Image {
	b := src.Bounds()
	w, h := b.Dx(), b.Dy()
	longer := max(w, h)
	if longer <= side {
		return src
	}
	small := image.NewRGBA(image.Rect(0, 0, max(1, w*side/longer), max(1, h*side/longer)))
	sw, sh := small.Rect.Dx(), small.Rect.Dy()
	for y := range sh {
		for x := range sw {
			var r, g, bl, n uint64
			for sy := y * h / sh; sy < (y+1)*h/sh; sy++ {
				for sx := x * w / sw; sx < (x+1)*w/sw; sx++ {
					cr, cg, cb, _ := src.At(b.Min.X+sx, b.Min.Y+sy).RGBA()
					r, g, bl, n = r+uint64(cr), g+uint64(cg), bl+uint64(cb), n+1
				}
			}
			small.SetRGBA(x, y, color.RGBA{uint8(r / n >> 8), uint8(g / n >> 8), uint8(bl / n >> 8), 255})
		}
	}
	return small
}
