// Package annotation reads data sets' human captions (COCO, Karpathy's split, nocaps, Conceptual Captions, plain lists), to train on or
// to score against, and result files. [Read] keeps a whole set for scoring and is strict about ids: a missing, double or unknown one is an
// error that names it, because a score over the wrong images looks like any other. [Scan] hands out one caption after the other.
package annotation

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Limits on what a file may hold; no published set comes near them.
const (
	maxCaption = 1 << 16 // bytes
	maxImages  = 1 << 24
	maxPerID   = 1 << 10 // captions of one image
)

// An ID names an image. Files write ids as numbers or as text; 42 and "42" are the same id.
type ID string

// UnmarshalJSON accepts an integer or a text that is not empty.
func (id *ID) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		if s == "" {
			return errors.New("empty image id")
		}
		*id = ID(s)
		return nil
	}
	n, err := strconv.ParseInt(string(b), 10, 64)
	if err != nil {
		return fmt.Errorf("image id %.40s: want an integer or a text", b)
	}
	*id = ID(strconv.FormatInt(n, 10))
	return nil
}

// MarshalJSON writes an id as a number where it is one.
func (id ID) MarshalJSON() ([]byte, error) {
	if n, err := strconv.ParseInt(string(id), 10, 64); err == nil && strconv.FormatInt(n, 10) == string(id) {
		return []byte(id), nil
	}
	return json.Marshal(string(id))
}

// An Image is one image of a data set with its human captions.
type Image struct {
	ID         ID
	File       string // its file name, where the annotations say
	Domain     string // nocaps: in-domain, near-domain or out-domain; else ""
	References []string
}

// A Caption is one human caption of a file.
type Caption struct {
	Image  ID     // the number of its row where the file has no ids
	Row    int    // the row of the features it names, -1 where it names none
	Text   string // empty where Tokens stand in its place
	Tokens []int32
}

// A Set is a data set's images in the order of its file.
type Set struct {
	Path   string
	Kind   string // what the file was found to be: coco, karpathy, nocaps, conceptual, list, map, lines
	Images []Image
	index  map[ID]int
}

func newSet(path string) *Set { return &Set{Path: path, index: map[ID]int{}} }

// Find returns the image of an id.
func (s *Set) Find(id ID) (*Image, bool) {
	i, ok := s.index[id]
	if !ok {
		return nil, false
	}
	return &s.Images[i], true
}

// HasReferences reports whether any image has a human caption; those of COCO's and nocaps' test sets are withheld.
func (s *Set) HasReferences() bool {
	return slices.ContainsFunc(s.Images, func(im Image) bool { return len(im.References) > 0 })
}

// image appends an image, whose id must be new.
func (s *Set) image(im Image) error {
	if _, ok := s.index[im.ID]; ok {
		return fmt.Errorf("image id %s stands there twice", im.ID)
	}
	if len(s.Images) >= maxImages {
		return fmt.Errorf("more than %d images", maxImages)
	}
	s.index[im.ID] = len(s.Images)
	s.Images = append(s.Images, im)
	return nil
}

// caption adds a human caption to an image; with grow, to one not seen yet, too.
func (s *Set) caption(c Caption, grow bool) error {
	id := c.Image
	if c.Tokens != nil {
		return fmt.Errorf("image id %s: tokens where a caption was expected", id)
	}
	i, ok := s.index[id]
	if !ok {
		if !grow {
			return fmt.Errorf("a caption of image id %s, which is not among the images", id)
		}
		if err := s.image(Image{ID: id}); err != nil {
			return err
		}
		i = len(s.Images) - 1
	}
	if len(s.Images[i].References) >= maxPerID {
		return fmt.Errorf("image id %s: more than %d captions", id, maxPerID)
	}
	s.Images[i].References = append(s.Images[i].References, c.Text)
	return nil
}

// checkCaption refuses what would not be scored as it stands there.
func checkCaption(id ID, text string) error {
	if len(text) > maxCaption {
		return fmt.Errorf("image id %s: a caption of %d bytes, the limit is %d", id, len(text), maxCaption)
	}
	if !validKey(id) {
		return fmt.Errorf("image id %.40q: empty or longer than 4096 bytes", string(id))
	}
	return nil
}

func validKey(id ID) bool { return id != "" && len(id) <= 4096 }

// LineSeparators returns an error that names the first image whose caption holds a line separator other than "\n", which find returns
// (-1 for none): the reference tokenizer would move every caption after it to the next image. With sanitize it turns them into spaces
// instead.
func (s *Set) LineSeparators(find func(caption string) rune, sanitize bool) error {
	for i := range s.Images {
		for j := range s.Images[i].References {
			if err := lineSeparator(s.Images[i].ID, &s.Images[i].References[j], find, sanitize); err != nil {
				return fmt.Errorf("%s: %w", s.Path, err)
			}
		}
	}
	return nil
}

func lineSeparator(id ID, caption *string, find func(string) rune, sanitize bool) error {
	for {
		r := find(*caption)
		if r < 0 {
			return nil
		}
		if !sanitize {
			return fmt.Errorf("image id %s: its caption holds the line separator %U, which would shift all later captions in the tokenizer (--sanitize makes it a space)", id, r)
		}
		*caption = strings.ReplaceAll(*caption, string(r), " ")
	}
}

// trimBOM drops the byte order mark some editors put before UTF-8.
func trimBOM(b []byte) []byte { return bytes.TrimPrefix(b, []byte("\xEF\xBB\xBF")) }
