package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/basicfont"
	"golang.org/x/image/math/fixed"
)

func sheetCommand(flags *flag.FlagSet) func() error {
	captions := flags.String("captions", "", "`file` of clipcap-caption --json")
	images := flags.String("images", "", "`folder` of the pictures")
	out := flags.String("out", "contact-sheet.png", "`file` to write")
	n := flags.Int("n", 24, "pictures on the sheet")
	return func() error {
		f, err := os.Open(*captions)
		if err != nil {
			return err
		}
		defer f.Close()
		cells, err := readCells(f, *images, *n)
		if err != nil {
			return fmt.Errorf("%s: %w", *captions, err)
		}
		return writePNG(*out, sheet(cells))
	}
}

// cell is a picture of the sheet.
type cell struct {
	image   image.Image
	caption string
}

// readCells reads the first n lines of clipcap-caption --json, and their pictures in dir.
func readCells(r io.Reader, dir string, n int) ([]cell, error) {
	var cells []cell
	lines := bufio.NewScanner(r)
	for len(cells) < n && lines.Scan() {
		var line struct {
			Image    string
			Captions []struct{ Caption string }
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("line %d: %w", len(cells)+1, err)
		}
		if len(line.Captions) == 0 {
			return nil, fmt.Errorf("line %d: no caption", len(cells)+1)
		}
		f, err := os.Open(filepath.Join(dir, line.Image))
		if err != nil {
			return nil, err
		}
		img, err := png.Decode(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", line.Image, err)
		}
		cells = append(cells, cell{img, strings.TrimSpace(line.Captions[0].Caption)})
	}
	return cells, lines.Err()
}

const (
	columns    = 6
	cellWidth  = 176
	cellHeight = 190
	letter     = 7 // width of basicfont's letters
)

// sheet lays the pictures out in columns, each over its caption.
func sheet(cells []cell) image.Image {
	rows := (len(cells) + columns - 1) / columns
	img := image.NewRGBA(image.Rect(0, 0, columns*cellWidth, max(1, rows)*cellHeight))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	for i, c := range cells {
		left, top := i%columns*cellWidth, i/columns*cellHeight
		b := c.image.Bounds()
		at := image.Pt(left+(cellWidth-b.Dx())/2, top+8)
		draw.Draw(img, image.Rectangle{at, at.Add(b.Size())}, c.image, b.Min, draw.Src)
		for line, text := range wrap(c.caption, (cellWidth-8)/letter) {
			pen := font.Drawer{Dst: img, Src: image.NewUniform(color.Black), Face: basicfont.Face7x13,
				Dot: fixed.P(left+4, at.Y+b.Dy()+14*(line+1))}
			pen.DrawString(text)
		}
	}
	return img
}

// wrap breaks a text into lines of at most width letters where words allow it, three at most.
func wrap(text string, width int) []string {
	var lines []string
	for _, word := range strings.Fields(text) {
		last := len(lines) - 1
		if last >= 0 && len(lines[last])+1+len(word) <= width {
			lines[last] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	if len(lines) > 3 {
		third := lines[2]
		for len(third) > width-4 && strings.Contains(third, " ") {
			third = third[:strings.LastIndexByte(third, ' ')]
		}
		lines = append(lines[:2], third+" ...")
	}
	return lines
}
