package data

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/clipcap-go/clipcap/weights"
)

// pickledCaption is a caption of the original's feature pickles: what parse_coco.py and parse_conceptual.py wrote.
type pickledCaption struct {
	image, text string
	row         int32
}

// addPickle adds {"clip_embedding": tensor [rows, dim], "captions": [{"image_id", "caption", "clip_embedding": row}, …]}. Files of
// COCO have a row a caption; the rows of an image are the same feature, so the first one stands for it.
func (f *Features) addPickle(s *weights.Store) error {
	if weights.TokenCache(s) {
		return errors.New("a token cache of the original's training: it is not needed, captions are turned into tokens afresh; give the file of features (the name without _tokens)")
	}
	top, ok := s.Object.(*weights.Dict)
	if !ok {
		return fmt.Errorf("a %s file without features: want .npy, or a pickle with clip_embedding and captions", s.Container)
	}
	v, _ := top.Get("clip_embedding")
	t, ok := v.(*weights.Tensor)
	if !ok {
		return errors.New("no tensor clip_embedding in the pickle")
	}
	if err := f.add(f.Path, t); err != nil {
		return err
	}
	v, _ = top.Get("captions")
	list, ok := v.(*weights.List)
	if !ok {
		return errors.New("no list captions in the pickle")
	}
	ids := make([]string, f.rows)
	for i := range ids {
		ids[i] = "row " + strconv.Itoa(i) // a row no caption names
	}
	f.captions = make([]pickledCaption, 0, len(list.Items))
	for i, item := range list.Items {
		c, err := pickled(item, f.rows)
		if err != nil {
			return fmt.Errorf("captions[%d]: %w", i, err)
		}
		ids[c.row] = c.image
		f.captions = append(f.captions, c)
	}
	f.name(ids)
	s.Object = nil // the numbers stay in the file; the rest is copied
	return nil
}

// pickled reads one dict of the list.
func pickled(item any, rows int) (pickledCaption, error) {
	var c pickledCaption
	d, ok := item.(*weights.Dict)
	if !ok {
		return c, errors.New("not a dict")
	}
	v, _ := d.Get("clip_embedding")
	row, ok := integer(v)
	switch {
	case !ok:
		return c, fmt.Errorf("clip_embedding is %s, want a row", weights.KindOf(v))
	case row < 0 || row >= int64(rows):
		return c, fmt.Errorf("clip_embedding %d, want a row below %d", row, rows)
	}
	c.row = int32(row)
	v, _ = d.Get("caption")
	if c.text, ok = v.(string); !ok {
		return c, errors.New("no caption")
	}
	v, named := d.Get("image_id")
	if !named {
		v = row
	}
	if c.image, ok = v.(string); ok {
		return c, nil
	}
	id, ok := integer(v)
	if !ok { // a row in its place would tear the captions of an image apart
		return c, fmt.Errorf("image_id is %s, want an integer or a text", weights.KindOf(v))
	}
	c.image = strconv.FormatInt(id, 10)
	return c, nil
}

// integer is a number of Python's or of numpy's.
func integer(v any) (int64, bool) {
	if r, ok := v.(*weights.Record); ok {
		return r.Integer()
	}
	n, ok := v.(int64)
	return n, ok
}
