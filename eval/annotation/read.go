package annotation

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Options say how to read a data set.
type Options struct {
	Dataset   string // "coco", "nocaps", "conceptual", or "" to go by the file
	Split     string // Karpathy's file: train, restval, val or test ("": test)
	CSVQuotes bool   // Conceptual Captions: a field that starts with " ends at the next, as Python's csv reads it
}

// Datasets are the names Options.Dataset takes.
var Datasets = []string{"coco", "nocaps", "conceptual"}

// Read reads a data set's human captions from a file. Errors name the file and the image.
func Read(path string, o Options) (*Set, error) {
	f, err := os.Open(path)
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
	if o.Dataset != "" && !slices.Contains(Datasets, o.Dataset) {
		return nil, fmt.Errorf("unknown data set %q, want one of %q", o.Dataset, Datasets)
	}
	s := newSet(path)
	buf := bufio.NewReaderSize(r, 1<<16)
	kind, first := sniff(buf)
	var err error
	switch {
	case kind == shapeEmpty:
		return nil, errors.New("the file is empty")
	case kind == shapeText || o.Dataset == "conceptual":
		s.Kind = "conceptual"
		err = s.parseTSV(buf, o.CSVQuotes)
	case kind == shapeList:
		s.Kind = "list"
		err = s.parseList(json.NewDecoder(buf))
	case kind == shapeLines:
		s.Kind = "lines"
		err = s.parseLines(json.NewDecoder(buf))
	case setKeys[first] || first == "":
		err = s.parseCOCO(json.NewDecoder(buf), o.Split)
	default:
		s.Kind = "map"
		err = s.parseMap(json.NewDecoder(buf))
	}
	if err != nil {
		return nil, err
	}
	return s, s.check(o)
}

// check holds the set to what the options say it is.
func (s *Set) check(o Options) error {
	if len(s.Images) == 0 {
		return errors.New("no images")
	}
	if o.Split != "" && s.Kind != "karpathy" {
		return fmt.Errorf("split %q: the file has no splits, only Karpathy's dataset_coco.json has", o.Split)
	}
	domains := 0
	for _, im := range s.Images {
		if im.Domain != "" {
			domains++
		}
	}
	switch {
	case o.Dataset == "conceptual" && s.Kind != "conceptual", o.Dataset == "coco" && s.Kind == "conceptual",
		o.Dataset == "nocaps" && s.Kind != "coco":
		return fmt.Errorf("this is no %s file but %s", o.Dataset, s.Kind)
	case o.Dataset == "coco" || s.Kind != "coco":
		for i := range s.Images {
			s.Images[i].Domain = ""
		}
		return nil
	case o.Dataset == "" && domains == 0:
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

// parseList reads [{"image_id":…, "caption":…}, …], the flat form of the original's training captions.
func (s *Set) parseList(d *json.Decoder) error {
	err := array(d, func(i int) error {
		var a record
		if err := d.Decode(&a); err != nil {
			return fmt.Errorf("element %d: %w", i, wrapEOF(err))
		}
		return s.addRecord(a, i)
	})
	if err != nil {
		return err
	}
	return end(d)
}

// parseLines reads such objects a line.
func (s *Set) parseLines(d *json.Decoder) error {
	for i := 0; ; i++ {
		var a record
		if err := d.Decode(&a); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("object %d: %w", i+1, wrapEOF(err))
		}
		if err := s.addRecord(a, i); err != nil {
			return err
		}
	}
}

// A record is an object of the flat forms; row names an image by its number where there is no id.
type record struct {
	ImageID *ID     `json:"image_id"`
	Row     *ID     `json:"row"`
	Caption *string `json:"caption"`
}

func (a record) id() (ID, bool) {
	switch {
	case a.ImageID != nil:
		return *a.ImageID, true
	case a.Row != nil:
		return *a.Row, true
	}
	return "", false
}

func (s *Set) addRecord(a record, i int) error {
	id, ok := a.id()
	if !ok {
		return fmt.Errorf("object %d has no image_id", i+1)
	}
	if a.Caption == nil {
		return fmt.Errorf("image id %s: no caption", id)
	}
	return s.caption(id, *a.Caption, true)
}

// parseMap reads {"id": ["caption", …], …}.
func (s *Set) parseMap(d *json.Decoder) error {
	err := object(d, func(key string) error {
		if _, ok := s.index[ID(key)]; ok {
			return fmt.Errorf("image id %s stands there twice", key)
		}
		if !validKey(ID(key)) {
			return fmt.Errorf("image id %.40q: empty or longer than 4096 bytes", key)
		}
		if err := s.add(Image{ID: ID(key)}); err != nil {
			return err
		}
		return array(d, func(int) error {
			var text *string
			if err := d.Decode(&text); err != nil || text == nil {
				return fmt.Errorf("image id %s: its captions are no list of texts", key)
			}
			return s.caption(ID(key), *text, false)
		})
	})
	if err != nil {
		return err
	}
	return end(d)
}
