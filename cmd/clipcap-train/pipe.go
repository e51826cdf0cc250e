package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/clipcap-go/clipcap/internal/files"
)

// spool copies captions that come through a pipe to a file where they are read more than once: to hold a share of them out, to score
// what is written.
func (o *options) spool(s *session) error {
	for _, c := range []struct {
		path  *string
		again bool
	}{{&o.captions, o.valShare > 0 || o.trainImages > 0}, {&o.valCaptions, o.valImages > 0}} {
		if info, err := os.Stat(*c.path); !c.again || err != nil || info.Mode().IsRegular() {
			continue // what is not there, or no pipe, is an error where it is read
		}
		copied, err := copyOf(*c.path)
		if err != nil {
			return err
		}
		*c.path = copied
		s.closers = append(s.closers, removal(copied))
	}
	return nil
}

// copyOf is a temporary file with what comes through a pipe.
func copyOf(pipe string) (path string, err error) {
	r, err := files.Stream(pipe)
	if err != nil {
		return "", err
	}
	defer r.Close()
	f, err := os.CreateTemp("", "captions-of-a-pipe-*")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, r)
	if err = errors.Join(err, f.Close()); err != nil {
		os.Remove(f.Name())
		return "", fmt.Errorf("copy %s: %w", pipe, err)
	}
	return f.Name(), nil
}

// removal is a file to remove at the end.
type removal string

func (r removal) Close() error { return os.Remove(string(r)) }
