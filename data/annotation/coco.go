package annotation

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/clipcap-go/clipcap/internal/files"
)

// cocoImage is an image of COCO's, nocaps' and Karpathy's files; other fields are passed over.
type cocoImage struct {
	ID        *ID    `json:"id"`
	FileName  string `json:"file_name"`
	Domain    string `json:"domain"`
	CocoID    *ID    `json:"cocoid"`
	ImgID     *ID    `json:"imgid"` // Karpathy's own number, which his Flickr8k and Flickr30k have alone
	Filename  string `json:"filename"`
	Split     string `json:"split"`
	Sentences []struct {
		Raw *string `json:"raw"`
	} `json:"sentences"`
}

// cocoCaption is an annotation of COCO's and nocaps' files.
type cocoCaption struct {
	ImageID *ID     `json:"image_id"`
	Caption *string `json:"caption"`
}

// Splits are Karpathy's.
var Splits = []string{"train", "restval", "val", "test"}

// CheckSplits tells whether a list with commas between names splits of Karpathy's. An empty one names none.
func CheckSplits(list string) error {
	if list == "" {
		return nil
	}
	for s := range strings.SplitSeq(list, ",") {
		if !slices.Contains(Splits, s) {
			return fmt.Errorf("unknown split %q, want one of %s", s, strings.Join(Splits, ", "))
		}
	}
	return nil
}

// coco reads the object of COCO, nocaps or Karpathy, element by element: the training set's is large.
func (p *parser) coco(d *json.Decoder) error {
	p.kind = "coco"
	var images, annotations bool
	var early []Caption // captions that stand before the images
	err := object(d, func(key string) error {
		switch key {
		case "images":
			if images {
				return errors.New("images stands there twice")
			}
			images = true
			return array(d, key, func(i int) error { return p.cocoImage(d, i) })
		case "annotations":
			if annotations {
				return errors.New("annotations stands there twice")
			}
			annotations = true
			return array(d, key, func(i int) error {
				var a cocoCaption
				if err := d.Decode(&a); err != nil {
					return fmt.Errorf("annotations[%d]: %w", i, files.StreamError(err, d))
				}
				if a.ImageID == nil || a.Caption == nil {
					return fmt.Errorf("annotations[%d]: no image_id or no caption", i)
				}
				c := Caption{Image: *a.ImageID, Row: -1, Text: *a.Caption}
				if !images {
					early = append(early, c)
					return nil
				}
				return p.caption(c, false)
			})
		}
		return skip(d)
	})
	if err != nil {
		return err
	}
	if !images {
		return errors.New("no images in the object")
	}
	for _, c := range early {
		if err := p.caption(c, false); err != nil {
			return err
		}
	}
	if p.kind == "karpathy" && annotations {
		return errors.New("both sentences in images and annotations")
	}
	return end(d)
}

// cocoImage reads one element of images.
func (p *parser) cocoImage(d *json.Decoder, i int) error {
	var im cocoImage
	if err := d.Decode(&im); err != nil {
		return fmt.Errorf("images[%d]: %w", i, files.StreamError(err, d))
	}
	if im.Sentences == nil {
		if im.ID == nil {
			return fmt.Errorf("images[%d] has no id", i)
		}
		if p.kind != "coco" {
			return fmt.Errorf("images[%d] has no sentences though others have", i)
		}
		return p.to.image(Image{ID: *im.ID, File: im.FileName, Domain: im.Domain})
	}
	if i > 0 && p.kind == "coco" {
		return fmt.Errorf("images[%d] has sentences though others have none", i)
	}
	p.kind = "karpathy"
	if i == 0 {
		p.imgID = im.CocoID == nil
	}
	id := im.CocoID
	if p.imgID {
		id = im.ImgID
	}
	switch {
	case p.imgID != (im.CocoID == nil):
		return fmt.Errorf("images[%d]: some images have a cocoid, others have none", i)
	case id == nil:
		return fmt.Errorf("images[%d] has neither cocoid nor imgid", i)
	}
	if !slices.Contains(Splits, im.Split) {
		return fmt.Errorf("image id %s: unknown split %q, want one of %q", *id, im.Split, Splits)
	}
	if !slices.Contains(p.splits, im.Split) {
		return nil
	}
	if err := p.to.image(Image{ID: *id, File: im.Filename}); err != nil {
		return err
	}
	for _, t := range im.Sentences {
		if t.Raw == nil {
			return fmt.Errorf("image id %s: a sentence without raw", *id)
		}
		if err := p.caption(Caption{Image: *id, Row: -1, Text: *t.Raw}, false); err != nil {
			return err
		}
	}
	return nil
}
