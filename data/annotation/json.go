package annotation

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/clipcap-go/clipcap/internal/files"
)

// object calls field for each key of the JSON object that follows in d; field must take the value.
func object(d *json.Decoder, field func(key string) error) error {
	if err := delim(d, "", '{'); err != nil {
		return err
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return files.StreamError(err, d)
		}
		if err := field(t.(string)); err != nil { // a key is always text
			return err
		}
	}
	return delim(d, "", '}')
}

// array calls element for each element of the JSON array that follows in d, the value of a key if that is not empty; element must take it.
func array(d *json.Decoder, key string, element func(i int) error) error {
	if err := delim(d, key, '['); err != nil {
		return err
	}
	for i := 0; d.More(); i++ {
		if err := element(i); err != nil {
			return err
		}
	}
	return delim(d, key, ']')
}

func delim(d *json.Decoder, key string, want json.Delim) error {
	t, err := d.Token()
	switch {
	case err != nil:
		return files.StreamError(err, d)
	case t == want:
		return nil
	case t == nil:
		t = "null"
	}
	if key != "" {
		return fmt.Errorf("byte %d: %q begins with %.40s where %v was expected", d.InputOffset(), key, fmt.Sprint(t), want)
	}
	return fmt.Errorf("byte %d: %.40s where %v was expected", d.InputOffset(), fmt.Sprint(t), want)
}

// skip passes over the value that follows in d.
func skip(d *json.Decoder) error {
	var v json.RawMessage
	return files.StreamError(d.Decode(&v), d)
}

// end reports an error if anything but white space follows in d.
func end(d *json.Decoder) error {
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("byte %d: text after the end of the JSON value", d.InputOffset())
	}
	return nil
}

// shape is what the first bytes of a file say it is.
type shape int

const (
	shapeList   shape = iota // a JSON array
	shapeObject              // one JSON object
	shapeLines               // a JSON object a line
	shapeText                // no JSON: tab-separated values
	shapeEmpty
	shapeUTF16
	shapeGzip
	shapeBinary
)

// unreadable are the shapes that are no captions, whatever their name.
var unreadable = map[shape]error{
	shapeEmpty:  errors.New("the file is empty"),
	shapeUTF16:  errUTF16,
	shapeGzip:   errors.New("this is gzip-compressed: unpack it first"),
	shapeBinary: errors.New("this is no text"),
}

var errUTF16 = errors.New("the text is UTF-16, want UTF-8 (PowerShell's > and Windows' editors write UTF-16 unless told otherwise)")

// recordKeys start the objects of JSON lines; setKeys those of a data set.
var (
	recordKeys = map[string]bool{"image_id": true, "id": true, "row": true, "image": true, "caption": true, "captions": true, "tokens": true}
	setKeys    = map[string]bool{"info": true, "licenses": true, "type": true, "images": true, "annotations": true, "categories": true, "dataset": true}
)

// sniff tells a file's shape from its beginning, which stays unread, and the first key if it is an object.
func sniff(r *bufio.Reader) (shape, string) {
	head, _ := r.Peek(sniffed)
	if len(trimBOM(head)) < len(head) {
		r.Discard(3)
		head, _ = r.Peek(sniffed)
	}
	text := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case utf16(head):
		return shapeUTF16, ""
	case bytes.HasPrefix(head, []byte("\x1F\x8B")):
		return shapeGzip, ""
	case bytes.IndexByte(head, 0) >= 0:
		return shapeBinary, ""
	case len(text) == 0:
		return shapeEmpty, ""
	case text[0] == '[':
		return shapeList, ""
	case text[0] != '{':
		return shapeText, ""
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.Token()
	key, _ := d.Token()
	first, _ := key.(string)
	if recordKeys[first] {
		return shapeLines, first
	}
	return shapeObject, first
}

// utf16 tells text of two bytes a letter, by its mark or by the zeros beside its first letter, which no text of ours has.
func utf16(head []byte) bool {
	return len(head) >= 2 && (head[0] == 0xFF && head[1] == 0xFE || head[0] == 0xFE && head[1] == 0xFF || (head[0] == 0) != (head[1] == 0))
}

const sniffed = 4096
