package annotation

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/clipcap-go/clipcap/internal/files"
)

// A sink takes what a file holds, in its order.
type sink interface {
	image(Image) error
	// caption takes a caption; grow says that the file has no list of images, so that any id may come.
	caption(c Caption, grow bool) error
}

// parser reads one file.
type parser struct {
	to     sink
	kind   string   // what the file was found to be
	splits []string // of Karpathy's file, those wanted
	imgID  bool     // his file is one of Flickr's, without cocoid
}

// parse reads a file of any kind into a sink and says what it was.
func parse(r io.Reader, to sink, o Options) (kind string, err error) {
	if o.Dataset != "" && !slices.Contains(Datasets, o.Dataset) {
		return "", fmt.Errorf("unknown data set %q, want one of %q", o.Dataset, Datasets)
	}
	p := &parser{to: to, splits: []string{"test"}}
	if split := cmp.Or(o.Split, o.OrSplit); split != "" {
		if err := CheckSplits(split); err != nil {
			return "", err
		}
		p.splits = strings.Split(split, ",")
	}
	buf := bufio.NewReaderSize(r, 1<<16)
	form, first := sniff(buf)
	switch {
	case unreadable[form] != nil:
		return "", unreadable[form]
	case form == shapeText || o.Dataset == "conceptual":
		p.kind = "conceptual"
		err = p.tsv(buf, o.CSVQuotes)
	case form == shapeList:
		p.kind = "list"
		err = p.list(json.NewDecoder(buf))
	case form == shapeLines:
		p.kind = "lines"
		err = p.lines(json.NewDecoder(buf))
	case setKeys[first] || first == "":
		err = p.coco(json.NewDecoder(buf))
	default:
		p.kind = "map"
		err = p.byID(json.NewDecoder(buf))
	}
	switch {
	case err != nil:
	case o.Dataset == "coco" && p.kind == "conceptual", o.Dataset == "nocaps" && p.kind != "coco":
		err = fmt.Errorf("this is no %s file but %s", o.Dataset, p.kind)
	case o.Split != "" && p.kind != "karpathy":
		err = fmt.Errorf("split %q: the file has no splits, only Karpathy's dataset_coco.json has", o.Split)
	}
	return p.kind, err
}

// Scan calls visit for every caption of a file, in its order, and keeps none of them. It says what kind of file it was, as [Set.Kind] does.
// Errors name the file and the image.
func Scan(path string, o Options, visit func(Caption) error) (kind string, err error) {
	f, err := files.Stream(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if kind, err = parse(f, visitor(visit), o); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return kind, nil
}

// visitor is a sink that keeps nothing.
type visitor func(Caption) error

func (visitor) image(Image) error                    { return nil }
func (v visitor) caption(c Caption, grow bool) error { return v(c) }

// caption hands a caption on unless it breaks the limits.
func (p *parser) caption(c Caption, grow bool) error {
	if err := checkCaption(c.Image, c.Text); err != nil {
		return err
	}
	return p.to.caption(c, grow)
}

// list reads [{"image_id":…, "caption":…}, …], the flat form of the original's training captions.
func (p *parser) list(d *json.Decoder) error {
	err := array(d, "", func(i int) error {
		var a record
		if err := d.Decode(&a); err != nil {
			return fmt.Errorf("element %d: %w", i, files.StreamError(err, d))
		}
		return p.record(a, i)
	})
	if err != nil {
		return err
	}
	return end(d)
}

// lines reads such objects a line.
func (p *parser) lines(d *json.Decoder) error {
	for i := 0; ; i++ {
		var a record
		if err := d.Decode(&a); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("object %d: %w", i+1, files.StreamError(err, d))
		}
		if err := p.record(a, i); err != nil {
			return err
		}
	}
}

// A record is an object of the flat forms; row, a row of the features, names an image where there is no id.
type record struct {
	ImageID *ID     `json:"image_id"`
	Row     *int    `json:"row"`
	Caption *string `json:"caption"`
	Tokens  []int32 `json:"tokens"`
}

// id is the image's, and whether the record has one.
func (a record) id() (ID, bool) {
	switch {
	case a.ImageID != nil:
		return *a.ImageID, true
	case a.Row != nil:
		return ID(strconv.Itoa(*a.Row)), true
	}
	return "", false
}

// record takes the i-th object of a flat form.
func (p *parser) record(a record, i int) error {
	id, ok := a.id()
	if !ok {
		return fmt.Errorf("object %d has no image_id", i+1)
	}
	c := Caption{Image: id, Row: -1, Tokens: a.Tokens}
	if a.Row != nil {
		if *a.Row < 0 {
			return fmt.Errorf("object %d: row %d, want 0 or more", i+1, *a.Row)
		}
		c.Row = *a.Row
	}
	switch {
	case a.Caption == nil && a.Tokens == nil:
		return fmt.Errorf("image id %s: no caption", id)
	case a.Caption != nil && a.Tokens != nil:
		return fmt.Errorf("image id %s: both caption and tokens, want one of them", id)
	case a.Caption != nil:
		c.Text = *a.Caption
	}
	return p.caption(c, true)
}

// byID reads {"id": ["caption", …], …}.
func (p *parser) byID(d *json.Decoder) error {
	seen := map[ID]bool{}
	err := object(d, func(key string) error {
		id := ID(key)
		switch {
		case seen[id]:
			return fmt.Errorf("image id %s stands there twice", id)
		case !validKey(id):
			return fmt.Errorf("image id %.40q: empty or longer than 4096 bytes", id)
		}
		seen[id] = true
		if err := p.to.image(Image{ID: id}); err != nil {
			return err
		}
		var texts []*string
		if err := d.Decode(&texts); err != nil && errors.Is(files.StreamError(err, d), files.ErrCut) {
			return fmt.Errorf("image id %s: %w", id, files.StreamError(err, d))
		} else if err != nil || texts == nil || slices.Contains(texts, nil) {
			return fmt.Errorf("image id %s: its captions are no list of texts", id)
		}
		for _, text := range texts {
			if err := p.caption(Caption{Image: id, Row: -1, Text: *text}, false); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return end(d)
}
