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
	for i, label := range labels(names) {
		if err := t.add(names[i], label); err != nil {
			t.Close()
			return nil, fmt.Errorf("%s: %w", names[i], err)
		}
	}
	t.tellApart(stem, func(file string) string { return file }) // the same key in two tars, or twice in one
	return t, nil
}

// labels are what tars are called: by their own names, or, where two have the same, from the folder on that holds them all.
func labels(names []string) []string {
	all, different := make([]string, len(names)), map[string]bool{}
	for i, name := range names {
		all[i] = filepath.Base(name)
		different[all[i]] = true
	}
	if len(different) == len(names) {
		return all
	}
	root := filepath.Dir(names[0])
	for i := 0; i < len(names); i++ {
		rel, err := filepath.Rel(root, names[i])
		if up := filepath.Dir(root); up != root && (err != nil || !filepath.IsLocal(rel)) {
			root, i = up, -1
			continue
		}
		all[i] = filepath.ToSlash(rel)
	}
	return all
}

// add lists the images of one tar. An id is a member's name without its extension, webdataset's key.
func (t *tars) add(name, label string) error {
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	t.open = append(t.open, f)
	info, err := f.Stat()
	if err != nil {
		return err
	}
	magic := make([]byte, 2)
	if _, err := f.ReadAt(magic, 0); err == nil && string(magic) == "\x1f\x8b" {
		return errCompressed
	}
	r := tar.NewReader(f)
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if h.Typeflag == tar.TypeDir || !isImage(h.Name) {
			continue
		}
		it := Item{ID: annotation.ID(stem(h.Name)), File: label + "/" + h.Name}
		if h.Typeflag != tar.TypeReg {
			it.load = func(context.Context) ([]byte, error) {
				return nil, fail(Unreadable, "a link or a sparse file in the tar")
			}
			t.listed = append(t.listed, it)
			continue
		}
		at, err := f.Seek(0, io.SeekCurrent) // the reader takes headers in whole blocks and no more
		if err != nil {
			return err
		}
		if h.Size < 0 || at+h.Size > info.Size() {
			return fmt.Errorf("member %q of %d bytes reaches beyond the file: it is cut short", h.Name, h.Size)
		}
		it.load = readMember(f, at, h.Size)
		t.listed = append(t.listed, it)
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
