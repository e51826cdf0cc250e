package annotation

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/clipcap-go/clipcap/internal/files"
)

// Options say how to read a data set.
type Options struct {
	Dataset   string // "coco", "nocaps", "conceptual", or "" to go by the file
	Split     string // Karpathy's file: train, restval, val or test, or several with commas between ("": test)
	OrSplit   string // what "" means for Split in its place
	CSVQuotes bool   // Conceptual Captions: a field that starts with " ends at the next, as Python's csv reads it
}

// Datasets are the names Options.Dataset takes.
var Datasets = []string{"coco", "nocaps", "conceptual"}

// Read reads a data set's human captions from a file. Errors name the file and the image.
func Read(path string, o Options) (*Set, error) {
	f, err := files.Stream(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := Parse(f, path, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// Parse reads a data set from r; path only names it.
func Parse(r io.Reader, path string, o Options) (*Set, error) {
	s := newSet(path)
	kind, err := parse(r, s, o)
	if err != nil {
		return nil, err
	}
	s.Kind = kind
	return s, s.check(o)
}

// check holds the set to what the options say it is.
func (s *Set) check(o Options) error {
	if len(s.Images) == 0 {
		return errors.New("no images")
	}
	domains := 0
	for _, im := range s.Images {
		if im.Domain != "" {
			domains++
		}
	}
	switch {
	case o.Dataset == "coco" || s.Kind != "coco":
		for i := range s.Images {
			s.Images[i].Domain = ""
		}
		return nil
	case domains == 0 && (o.Dataset == "" || !s.HasReferences()):
		return nil
	}
	s.Kind = "nocaps"
	for _, im := range s.Images {
		if !slices.Contains(Domains, im.Domain) {
			return fmt.Errorf("image id %s: domain %q, want one of %q (the image list without captions has none; use the annotations)", im.ID, im.Domain, Domains)
		}
	}
	return nil
}

// Domains are those of nocaps, in the order of its tables.
var Domains = []string{"in-domain", "near-domain", "out-domain"}
