package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"path"
	"path/filepath"

	"github.com/clipcap-go/clipcap"
	"github.com/clipcap-go/clipcap/clip"
	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/data/extract"
	"github.com/clipcap-go/clipcap/internal/cli"
)

// input is what is captioned: a number of things with names, and their features.
type input struct {
	count    int
	name     func(i int) (annotation.ID, string)
	features func(ctx context.Context, m *clipcap.Model) iter.Seq2[[]float32, error]
	close    func() error
}

// openInput opens the features, or all sources of images.
func (o *options) openInput(args []string) (*input, error) {
	if o.features != "" {
		return openFeatures(o.features)
	}
	if o.images != "" {
		args = []string{o.images}
	}
	var all sources
	for _, name := range args {
		s, err := openSource(name)
		if err != nil {
			all.close()
			return nil, err
		}
		all = append(all, source{Source: s})
		if info, err := os.Stat(name); len(args) > 1 && err == nil && info.IsDir() {
			all[len(all)-1].folder = name // what is in one folder may have the names of what is in another
		}
	}
	if err := all.sameKind(args); err != nil {
		all.close()
		return nil, err
	}
	in := &input{count: all.len(), close: all.close}
	in.name = func(i int) (annotation.ID, string) {
		it, err := all.item(i)
		if err != nil {
			return annotation.ID(fmt.Sprint(i)), fmt.Sprint(i)
		}
		return it.ID, cmp.Or(it.File, string(it.ID))
	}
	in.features = func(ctx context.Context, m *clipcap.Model) iter.Seq2[[]float32, error] {
		if first, err := all.item(0); err == nil {
			if _, ok, _ := first.Pixels(); ok {
				return m.PixelFeatures(ctx, all.pixels)
			}
		}
		d := extract.NewDecoder(m.ImageSize(), clip.ImageOptions{EXIF: o.exif}, 0)
		return m.Features(ctx, d.Images(ctx, all.len(), all.item))
	}
	return in, nil
}

func openSource(name string) (extract.Source, error) {
	if name == "-" {
		return extract.ReadSource(os.Stdin, "standard input", extract.SourceOptions{})
	}
	return extract.OpenSource(name, extract.SourceOptions{})
}

// openFeatures is a feature set as input.
func openFeatures(name string) (*input, error) {
	f, err := data.OpenFeatures(name)
	if err != nil {
		return nil, err
	}
	if f.Rows() == 0 {
		f.Close()
		return nil, fmt.Errorf("features %s: no features in it", name)
	}
	return &input{
		count: f.Rows(), close: f.Close,
		name: func(i int) (annotation.ID, string) { return annotation.ID(f.ID(i)), f.ID(i) },
		features: func(ctx context.Context, m *clipcap.Model) iter.Seq2[[]float32, error] {
			return func(yield func([]float32, error) bool) {
				for i := range f.Rows() {
					row := make([]float32, f.Dim)
					if err := f.Read(row, i); !yield(row, err) {
						return
					}
				}
			}
		},
	}, nil
}

// source is one of the sources, and the folder its names are relative to where there are several.
type source struct {
	extract.Source
	folder string
}

// sources are several sources in a row.
type sources []source

// sameKind refuses images and pixels together: pixels pass through the encoder as they are.
func (s sources) sameKind(args []string) error {
	var first bool
	for i, x := range s {
		list, err := x.Items(0, min(1, x.Len()))
		if err != nil || len(list) == 0 {
			continue
		}
		_, pixels, _ := list[0].Pixels()
		if i > 0 && pixels != first {
			return cli.Misusef("%s and %s: images and normalised pixels are captioned by separate runs", args[0], args[i])
		}
		first = pixels
	}
	return nil
}

func (s sources) close() error {
	var first error
	for _, x := range s {
		if err := x.Close(); first == nil {
			first = err
		}
	}
	return first
}

func (s sources) len() int {
	n := 0
	for _, x := range s {
		n += x.Len()
	}
	return n
}

// item is the image of a number.
func (s sources) item(i int) (*extract.Item, error) {
	for _, x := range s {
		if i < x.Len() {
			list, err := x.Items(i, i+1)
			if err != nil {
				return nil, err
			}
			it := list[0]
			if x.folder != "" {
				it.File = path.Join(filepath.ToSlash(x.folder), it.File)
			}
			return &it, nil
		}
		i -= x.Len()
	}
	return nil, io.EOF
}

// pixels yields rows that are ready for the encoder.
func (s sources) pixels(yield func([]float32, error) bool) {
	for i := range s.len() {
		it, err := s.item(i)
		var p []float32
		if err == nil {
			var ok bool
			if p, ok, err = it.Pixels(); err == nil && !ok {
				err = fmt.Errorf("%s is an image among pixels", it.File)
			}
		}
		if !yield(p, err) {
			return
		}
	}
}
