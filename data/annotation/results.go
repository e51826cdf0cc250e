package annotation

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/clipcap-go/clipcap/internal/files"
	"github.com/clipcap-go/clipcap/internal/plural"
)

// A Result is what a system wrote for one image: the caption to be judged first, further samples after it.
type Result struct {
	ID       ID
	Captions []string
}

// Results are those of a file, in its order.
type Results struct {
	Path  string
	List  []Result
	index map[ID]int
}

// ReadResults reads a result file: COCO's list [{"image_id":…, "caption":…}, …], an object {"id": "caption"} or {"id": ["caption", …]},
// or the lines that clipcap-caption --json writes.
func ReadResults(path string) (*Results, error) {
	f, err := files.Stream(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	r, err := ParseResults(f, path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// ParseResults reads a result file from r; path only names it.
func ParseResults(r io.Reader, path string) (*Results, error) {
	res := &Results{Path: path, index: map[ID]int{}}
	buf := bufio.NewReaderSize(r, 1<<16)
	kind, _ := sniff(buf)
	d := json.NewDecoder(buf)
	if err := unreadable[kind]; err != nil {
		return nil, err
	}
	var err error
	switch kind {
	case shapeText:
		return nil, errors.New("no JSON: want a list of objects with image_id and caption")
	case shapeList:
		err = array(d, "", func(i int) error { return res.decode(d, i) })
	case shapeLines:
		for i := 0; err == nil && d.More(); i++ {
			err = res.decode(d, i)
		}
	default:
		err = res.parseMap(d)
	}
	if err == nil {
		err = end(d)
	}
	if err != nil {
		return nil, err
	}
	if len(res.List) == 0 {
		return nil, errors.New("no results")
	}
	return res, nil
}

// decode reads one object of a list or of lines.
func (r *Results) decode(d *json.Decoder, i int) error {
	var a struct {
		ImageID  *ID     `json:"image_id"`
		Row      *int    `json:"row"`
		Caption  *string `json:"caption"`
		Captions []struct {
			Caption *string `json:"caption"`
		} `json:"captions"`
		Error string `json:"error"`
	}
	if err := d.Decode(&a); err != nil {
		return fmt.Errorf("object %d: %w", i+1, files.StreamError(err, d))
	}
	id, ok := record{ImageID: a.ImageID, Row: a.Row}.id()
	if !ok {
		return fmt.Errorf("object %d has no image_id", i+1)
	}
	var captions []string
	if a.Caption != nil {
		captions = append(captions, *a.Caption)
	}
	for _, c := range a.Captions {
		if c.Caption == nil {
			return fmt.Errorf("image id %s: one of its captions has no caption", id)
		}
		captions = append(captions, *c.Caption)
	}
	if len(captions) == 0 && a.Error != "" {
		return nil // clipcap-caption could not read this image, which has no result
	}
	return r.add(id, captions)
}

// parseMap reads {"id": "caption"} or {"id": ["caption", …]}.
func (r *Results) parseMap(d *json.Decoder) error {
	return object(d, func(key string) error {
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return files.StreamError(err, d)
		}
		var one *string
		var many []string
		if json.Unmarshal(v, &one) == nil && one != nil {
			many = []string{*one}
		} else if err := json.Unmarshal(v, &many); err != nil {
			return fmt.Errorf("image id %.80s: want a caption or a list of captions", key)
		}
		return r.add(ID(key), many)
	})
}

func (r *Results) add(id ID, captions []string) error {
	if len(captions) == 0 {
		return fmt.Errorf("image id %s: no caption", id)
	}
	if len(captions) > maxPerID || len(r.List) >= maxImages {
		return fmt.Errorf("image id %s: too many captions", id)
	}
	for _, c := range captions {
		if err := checkCaption(id, c); err != nil {
			return err
		}
	}
	if _, ok := r.index[id]; ok {
		return fmt.Errorf("image id %s has two results", id)
	}
	r.index[id] = len(r.List)
	r.List = append(r.List, Result{id, captions})
	return nil
}

// LineSeparators is [Set.LineSeparators] for results.
func (r *Results) LineSeparators(find func(caption string) rune, sanitize bool) error {
	for i := range r.List {
		for j := range r.List[i].Captions {
			if err := lineSeparator(r.List[i].ID, &r.List[i].Captions[j], find, sanitize); err != nil {
				return fmt.Errorf("%s: %w", r.Path, err)
			}
		}
	}
	return nil
}

// A Pair is an image and what a system wrote for it.
type Pair struct {
	*Image
	Captions []string
}

// Join pairs each image of the set with its result, in the set's order; a result names its image by id, or by its file's name without
// extension. A result of an unknown image, an image without a reference where
// others have some and, unless subset is set, an image without a result are errors.
func Join(s *Set, r *Results, subset bool) ([]Pair, error) {
	found := make([]int, len(s.Images)) // image → 1 + its result
	var unknown []string
	var files map[string]int
	for i, res := range r.List {
		at, ok := s.index[res.ID]
		if !ok { // clipcap-caption names the images of a folder by their files
			if files == nil {
				files = s.fileNames()
			}
			at, ok = files[string(res.ID)]
			ok = ok && at >= 0
		}
		if !ok && s.Kind == "conceptual" { // row numbers also come as %08d
			if short := strings.TrimLeft(string(res.ID), "0"); short == "" {
				at, ok = s.index["0"]
			} else {
				at, ok = s.index[ID(short)]
			}
		}
		switch {
		case !ok:
			unknown = append(unknown, string(res.ID))
		case found[at] != 0:
			return nil, fmt.Errorf("%s: image id %s has two results", r.Path, res.ID)
		default:
			found[at] = i + 1
		}
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("%s: image id %s not in %s", r.Path, plural.Few(unknown), s.Path)
	}
	var pairs []Pair
	var missing []string
	references := s.HasReferences()
	for i := range s.Images {
		im := &s.Images[i]
		switch {
		case found[i] == 0:
			missing = append(missing, string(im.ID))
			continue
		case len(im.References) == 0 && references:
			return nil, fmt.Errorf("%s: image id %s has no human caption to score against", s.Path, im.ID)
		}
		pairs = append(pairs, Pair{im, r.List[found[i]-1].Captions})
	}
	if len(missing) > 0 && !subset {
		return nil, fmt.Errorf("%s: no result for image id %s (--subset scores only the images that have one)", r.Path, plural.Few(missing))
	}
	return pairs, nil
}

// fileNames finds images by their files' names without folder and extension; -1: several images have it.
func (s *Set) fileNames() map[string]int {
	names := map[string]int{}
	for i, im := range s.Images {
		name := im.File[strings.LastIndexAny(im.File, `/\`)+1:]
		if dot := strings.LastIndexByte(name, '.'); dot > 0 {
			name = name[:dot]
		}
		if _, twice := names[name]; twice {
			i = -1
		}
		if name != "" {
			names[name] = i
		}
	}
	return names
}
