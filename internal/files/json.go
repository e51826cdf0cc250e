package files

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// ErrCut is in the chain of the errors for JSON that ends before its value does, as a file does whose copying or download was cut short.
var ErrCut = errors.New("the file ends too early, in the middle of a JSON value")

// Unmarshal is json.Unmarshal with errors that say where the text is wrong.
func Unmarshal(text []byte, v any) error { return JSONError(json.Unmarshal(text, v), text) }

// JSONError says where in a text an error of package encoding/json is: the line, and the byte of that line, both from 1.
func JSONError(err error, text []byte) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	at := int64(-1)
	switch {
	case err == nil:
		return nil
	case len(bytes.TrimSpace(text)) == 0:
		return errors.New("the file is empty, want JSON")
	case early(err):
		return fmt.Errorf("%s: %w", place(text, int64(len(text))), ErrCut)
	case errors.As(err, &syntax):
		if at = syntax.Offset; at >= int64(len(text)) && strings.HasPrefix(err.Error(), "invalid character ' ' in literal") {
			err = ErrCut // within true, false or null the end is read as a space
		}
	case errors.As(err, &kind):
		at, err = kind.Offset, mistyped(kind)
	default:
		return err
	}
	return fmt.Errorf("%s: %w", place(text, at), err)
}

// StreamError is JSONError for a decoder, of which only the bytes read so far are known.
func StreamError(err error, d *json.Decoder) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &kind): // its offset is that within the value, which is passed
		return mistyped(kind)
	case early(err):
		left, _ := io.Copy(io.Discard, d.Buffered()) // what was read and is no whole value
		return fmt.Errorf("byte %d: %w", d.InputOffset()+left, ErrCut)
	case errors.As(err, &syntax):
		return fmt.Errorf("byte %d: %w", syntax.Offset, err)
	}
	return err
}

// mistyped says of a value of the wrong kind in JSON's words what package encoding/json says in Go's.
func mistyped(e *json.UnmarshalTypeError) error {
	found := map[string]string{"string": "a text", "array": "a list", "object": "an object", "bool": "true or false", "number": "a number"}[e.Value]
	if found == "" {
		found = strings.TrimPrefix(e.Value, "number ")
	}
	want := "an object"
	switch k := e.Type.Kind(); {
	case k == reflect.String:
		want = "a text"
	case k == reflect.Bool:
		want = "true or false"
	case k == reflect.Slice || k == reflect.Array:
		want = "a list"
	case k == reflect.Float32 || k == reflect.Float64:
		want = "a number"
	case k >= reflect.Int && k <= reflect.Uint64:
		want = fmt.Sprintf("a whole number of %d bits", e.Type.Bits())
	}
	if e.Field == "" {
		return fmt.Errorf("%s where %s was expected", found, want)
	}
	return fmt.Errorf("%q is %s, want %s", e.Field, found, want)
}

// early tells the errors of package encoding/json for text that ends within a value.
func early(err error) bool {
	var syntax *json.SyntaxError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &syntax) && syntax.Error() == "unexpected end of JSON input"
}

// place is the line and the byte in it of the n-th byte of a text.
func place(text []byte, n int64) string {
	before := text[:max(0, min(n, int64(len(text))))]
	line := bytes.LastIndexByte(before, '\n') + 1
	return fmt.Sprintf("line %d, byte %d", 1+bytes.Count(before, []byte("\n")), len(before)-line)
}

// Named puts the path before an error that does not begin with it.
func Named(path string, err error) error {
	if err == nil || strings.HasPrefix(err.Error(), path+": ") {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}
