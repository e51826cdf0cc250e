package extract

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/internal/files"
)

// entry is an image in COCO's, Karpathy's or nocaps' file, or a line of a flat list of captions.
type entry struct {
	ID       annotation.ID `json:"id"`
	ImageID  annotation.ID `json:"image_id"`
	CocoID   annotation.ID `json:"cocoid"`
	ImgID    annotation.ID `json:"imgid"`
	FileName string        `json:"file_name"`
	Filename string        `json:"filename"` // Karpathy
	Filepath string        `json:"filepath"` // Karpathy: the folder
	Split    string        `json:"split"`
}

// openAnnotations lists the images of an annotation file, each once, looked for below root.
func openAnnotations(path, root, split string) (Source, error) {
	f, err := files.Stream(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var splits []string
	if split != "" {
		splits = strings.Split(split, ",")
	}
	var items listed
	seen := map[annotation.ID]bool{}
	anySplit := false
	add := func(e entry, flat bool) error {
		anySplit = anySplit || e.Split != ""
		if len(splits) > 0 && e.Split != "" && !slices.Contains(splits, e.Split) {
			return nil
		}
		id := e.ID
		switch {
		case e.CocoID != "":
			id = e.CocoID
		case flat && e.ImageID != "":
			id = e.ImageID
		case id == "":
			id = e.ImgID
		}
		if id == "" {
			return errors.New("no id")
		}
		if !seen[id] {
			seen[id] = true
			items = append(items, e.item(id, root))
		}
		return nil
	}
	if err := eachImage(f, add); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if split != "" && !anySplit {
		return nil, fmt.Errorf("%s: split %q: the file has no splits, only Karpathy's dataset_coco.json has", path, split)
	}
	return items, nil
}

// eachImage goes through the "images" of an object, or the elements of a list, one at a time.
func eachImage(r io.Reader, add func(e entry, flat bool) error) error {
	text := bufio.NewReader(r)
	switch head, _ := text.Peek(3); {
	case string(head) == "\xef\xbb\xbf": // with which some editors begin a file
		text.Discard(3)
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return errors.New("compressed with gzip: unpack it first")
	}
	d := json.NewDecoder(text)
	return files.StreamError(decodeImages(d, add), d)
}

// decodeImages is eachImage on a decoder.
func decodeImages(d *json.Decoder, add func(e entry, flat bool) error) error {
	list := func(flat bool) error {
		for n := 0; d.More(); n++ {
			var e entry
			err := d.Decode(&e)
			if err == nil {
				err = add(e, flat)
			}
			if err != nil {
				return fmt.Errorf("image %d of the list: %w", n, files.StreamError(err, d))
			}
		}
		_, err := d.Token() // the list's end
		return err
	}
	t, err := d.Token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('['):
		return list(true)
	case json.Delim('{'):
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return err
			}
			if key != "images" {
				var skip json.RawMessage
				if err := d.Decode(&skip); err != nil {
					return err
				}
				continue
			}
			if t, err := d.Token(); err != nil || t != json.Delim('[') {
				return errors.Join(errors.New(`"images" is no list`), err)
			}
			return list(false)
		}
	}
	return errors.New(`neither a list nor an object with "images": want COCO's, Karpathy's or nocaps' format, or a flat list`)
}

// item is the image of an entry. Where a file lies is found out when it is read: the folders of COCO's archives are
// tried below root, and a list without file names has COCO's.
func (e entry) item(id annotation.ID, root string) Item {
	name := e.FileName
	if name == "" {
		name = e.Filename
	}
	var names []string
	if name != "" {
		names = append(names, name)
		if e.Filepath != "" {
			names = append([]string{e.Filepath + "/" + name}, names...)
		}
		if base := filepath.Base(name); base != name {
			names = append(names, base)
		}
	} else if n, err := strconv.ParseUint(string(id), 10, 63); err == nil {
		names = []string{fmt.Sprintf("COCO_train2014_%012d.jpg", n), fmt.Sprintf("COCO_val2014_%012d.jpg", n), fmt.Sprintf("%012d.jpg", n)}
	} else {
		names = []string{string(id)}
	}
	it := Item{ID: id, File: filepath.ToSlash(names[0])}
	it.load = func(ctx context.Context) ([]byte, error) {
		for _, folder := range []string{"", "train2014", "val2014", "train2017", "val2017", "test2014", "test2015", "test2017", "images"} {
			for _, name := range names {
				if !filepath.IsLocal(filepath.FromSlash(name)) {
					return nil, fail(Unreadable, "%q leads out of the folder of images", name)
				}
				path := filepath.Join(root, folder, filepath.FromSlash(name))
				if _, err := os.Stat(path); err == nil {
					return readFile(path)(ctx)
				}
			}
		}
		return nil, fail(Missing, "no such file below %s", filepath.Base(root))
	}
	return it
}
