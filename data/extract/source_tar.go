package extract

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/internal/files"
)

// tars are webdataset shards. Their headers are read once; members are then read where they lie.
type tars struct {
	listed
	open []*os.File
}

func (t *tars) Close() error {
	var errs []error
	for _, f := range t.open {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

func openTars(names []string) (Source, error) {
	t := &tars{}
	for _, name := range names {
		if err := t.add(name); err != nil {
			t.Close()
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	count := map[annotation.ID]int{}
	for _, it := range t.listed {
		count[it.ID]++
	}
	for i := range t.listed {
		if it := &t.listed[i]; count[it.ID] > 1 { // the same key in two tars
			it.ID = annotation.ID(stem(it.File))
		}
	}
	return t, nil
}

// add lists the images of one tar. An id is a member's name without its extension, webdataset's key.
func (t *tars) add(name string) error {
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	t.open = append(t.open, f)
	info, err := f.Stat()
	if err != nil {
		return err
	}
	r := tar.NewReader(f)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg || !isImage(h.Name) {
			continue
		}
		at, err := f.Seek(0, io.SeekCurrent) // the reader takes headers in whole blocks and no more
		if err != nil {
			return err
		}
		if h.Size < 0 || at+h.Size > info.Size() {
			return fmt.Errorf("member %q of %d bytes reaches beyond the file: it is cut short", h.Name, h.Size)
		}
		t.listed = append(t.listed, Item{ID: annotation.ID(stem(h.Name)), File: filepath.Base(name) + "/" + h.Name, load: readMember(f, at, h.Size)})
	}
}

func readMember(f *os.File, at, size int64) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) {
		if size > maxFile {
			return nil, fail(TooLarge, "%d bytes, want at most %d", size, maxFile)
		}
		data := make([]byte, size)
		if _, err := io.ReadFull(io.NewSectionReader(f, at, size), data); err != nil {
			return nil, &Failure{Unreadable, plain(err)}
		}
		return data, nil
	}
}
