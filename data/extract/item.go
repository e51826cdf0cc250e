package extract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
)

// Pixels are the numbers of an item that is ready for the encoder, a row of a .npy; ok is false for any other.
func (it *Item) Pixels() (pixels []float32, ok bool, err error) {
	if it.pixels == nil {
		return nil, false, nil
	}
	if pixels, err = it.pixels(); err != nil {
		err = &Failure{Unreadable, plain(err)}
	}
	return pixels, true, err
}

// wait waits until the item may be loaded, after which leave is called.
func (it *Item) wait(ctx context.Context) (leave func(), err error) {
	if it.enter == nil {
		return func() {}, nil
	}
	return it.enter(ctx)
}

// ReadSource is a source that comes through a stream: the bytes of one image, called name, or a list, a path or address a
// line.
func ReadSource(r io.Reader, name string, o SourceOptions) (Source, error) {
	s, err := readSource(r, name, o)
	if err == nil && s.Len() == 0 {
		err = errors.New("no images in it")
	}
	if err != nil {
		return nil, fmt.Errorf("images %s: %w", name, err)
	}
	return s, nil
}

func readSource(r io.Reader, name string, o SourceOptions) (Source, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxFile:
		return nil, fmt.Errorf("more than %d MB", maxFile>>20)
	}
	if bytes.IndexByte(data[:min(len(data), 512)], 0) >= 0 {
		load := func(context.Context) ([]byte, error) { return data, nil }
		return listed{{ID: "0", File: name, load: load}}, nil
	}
	return list(data, o.Fetch)
}
