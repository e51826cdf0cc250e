// Package files opens what users name. A path may lead to a pipe that nobody writes to, a socket or a device, at which os.Open, or
// the first read, would wait for ever.
package files

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// ErrNotRegular is in the chain of the errors for what is no file.
var ErrNotRegular = errors.New("not a regular file")

// Open opens a regular file, which can be read from any place and more than once. All else is an error at once.
func Open(path string) (*os.File, error) {
	f, mode, err := open(path)
	if err == nil && !mode.IsRegular() {
		f.Close()
		err = &fs.PathError{Op: "open", Path: path, Err: ErrNotRegular}
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Stream opens what is read once from the beginning to the end: a regular file, or a pipe that somebody writes to, such as a shell's
// <(command) or /dev/stdin. All else is an error at once.
func Stream(path string) (io.ReadCloser, error) {
	f, mode, err := open(path)
	switch {
	case err != nil:
		return nil, err
	case mode.IsRegular():
		return f, nil
	case mode&fs.ModeNamedPipe == 0:
		f.Close()
		return nil, &fs.PathError{Op: "open", Path: path, Err: fmt.Errorf("%w, nor a pipe", ErrNotRegular)}
	}
	p := &pipe{bufio.NewReader(f), f}
	if _, err := p.Peek(1); err != nil {
		f.Close()
		if errors.Is(err, io.EOF) {
			err = errors.New("nothing came through this pipe: nobody writes to it")
		}
		return nil, &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return p, nil
}

// pipe is a pipe whose first byte was waited for.
type pipe struct {
	*bufio.Reader
	io.Closer
}

// ReadAll reads a Stream of at most limit bytes.
func ReadAll(path string, limit int64) ([]byte, error) {
	r, err := Stream(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("longer than %d bytes", limit)}
	}
	return text, err
}

// open does not wait for a pipe's other end.
func open(path string) (*os.File, fs.FileMode, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|nonblock, 0)
	if err != nil {
		// A socket cannot be opened at all, for which the system has words that say nothing.
		if info, e := os.Stat(path); e == nil && info.Mode()&fs.ModeSocket != 0 {
			err = &fs.PathError{Op: "open", Path: path, Err: ErrNotRegular}
		}
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Mode(), nil
}
