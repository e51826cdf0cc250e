package weights

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/clipcap-go/clipcap/internal/files"
)

// file is an opened file, or a reader that stands for one.
type file struct {
	name   string
	size   int64
	r      io.ReaderAt
	os     *os.File // nil: not a file of the system, so it cannot be mapped
	once   sync.Once
	mapped []byte
}

func openFile(path string) (*file, error) {
	f, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return &file{name: path, size: info.Size(), r: f, os: f}, nil
}

// memory is a file that lies in memory.
func memory(name string, b []byte) *file {
	return &file{name: name, size: int64(len(b)), r: bytes.NewReader(b)}
}

// view maps the file on first use; nil where that does not work.
func (f *file) view() []byte {
	f.once.Do(func() {
		if f.os != nil && f.size > 0 && int64(int(f.size)) == f.size {
			f.mapped, _ = mmap(f.os, int(f.size))
		}
	})
	return f.mapped
}

func (f *file) close() error {
	f.once.Do(func() {}) // no mapping after this
	err := munmap(f.mapped)
	f.mapped = nil
	if f.os != nil {
		err = errors.Join(err, f.os.Close())
	}
	return err
}

// blob is a run of bytes inside a file: a section that can be read anywhere, or a record to decompress.
type blob interface {
	size() int64
	// open reads from offset on.
	open(offset int64) (io.ReadCloser, error)
	// view is the bytes in place, or nil.
	view() []byte
}

// section is the bytes [at, at+n) of a file; whoever makes one has checked that they exist.
type section struct {
	f     *file
	at, n int64
}

func (f *file) all() section { return section{f, 0, f.size} }

// sub is a section inside s.
func (s section) sub(at, n int64) (section, error) {
	if at < 0 || n < 0 || at > s.n || n > s.n-at {
		return section{}, fmt.Errorf("needs %d bytes at offset %d, and there are %d", n, at, s.n)
	}
	return section{s.f, s.at + at, n}, nil
}

func (s section) size() int64 { return s.n }

func (s section) open(offset int64) (io.ReadCloser, error) {
	return io.NopCloser(io.NewSectionReader(s.f.r, s.at+offset, s.n-offset)), nil
}

func (s section) view() []byte {
	if m := s.f.view(); m != nil {
		return m[s.at : s.at+s.n : s.at+s.n]
	}
	return nil
}

// ReadAt reads inside the section.
func (s section) ReadAt(p []byte, at int64) (int, error) {
	return io.NewSectionReader(s.f.r, s.at, s.n).ReadAt(p, at)
}

// head is the first n bytes, or fewer where the section is shorter.
func (s section) head(n int) ([]byte, error) {
	p := make([]byte, min(int64(n), s.n))
	if _, err := s.ReadAt(p, 0); err != nil && err != io.EOF {
		return nil, err
	}
	return p, nil
}

// bytes is the whole section; limit is what its kind can hold at the most.
func (s section) bytes(limit int64) ([]byte, error) {
	if s.n > limit {
		return nil, fmt.Errorf("%d bytes long, more than the %d this can be", s.n, limit)
	}
	return s.head(int(s.n))
}
