package weights

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/clipcap-go/clipcap/internal/files"
)

// maxHeader is the format's own limit for the JSON header.
const maxHeader = 100_000_000

// span is a tensor's entry in a safetensors header.
type span struct {
	DType   string   `json:"dtype"`
	Shape   []int    `json:"shape"`
	Offsets []uint64 `json:"data_offsets"`
}

// readSafetensors reads the header: u64 length, JSON {name: {dtype, shape, data_offsets}}, then the numbers without holes.
func (s *Store) readSafetensors(src section) error {
	s.Container = Safetensors
	head, err := src.head(8)
	if err != nil {
		return err
	}
	if len(head) < 8 {
		return fmt.Errorf("%d bytes are too few for a safetensors header", len(head))
	}
	n := binary.LittleEndian.Uint64(head)
	if n > maxHeader || int64(n) > src.n-8 {
		return fmt.Errorf("header of %d bytes in a file of %d", n, src.n)
	}
	header, err := src.sub(8, int64(n))
	if err != nil {
		return err
	}
	text, err := header.bytes(maxHeader)
	if err != nil {
		return err
	}
	data, err := src.sub(8+int64(n), src.n-8-int64(n))
	if err != nil {
		return err
	}
	if err := s.readHeader(text, data); err != nil {
		return fmt.Errorf("safetensors header: %w", err)
	}
	return nil
}

func (s *Store) readHeader(text []byte, data section) error {
	var spans []section
	err := object(text, func(name string, value json.RawMessage) error {
		if name == "__metadata__" {
			return json.Unmarshal(value, &s.Metadata)
		}
		var e span
		if err := json.Unmarshal(value, &e); err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		t, at, err := e.tensor(name, data)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		spans = append(spans, at)
		return s.add(t)
	})
	if err != nil {
		return err
	}
	return noHoles(spans, data)
}

func (e span) tensor(name string, data section) (*Tensor, section, error) {
	var at section
	dtype, err := ParseDType(e.DType)
	if err != nil {
		return nil, at, err
	}
	n, err := numel(e.Shape)
	if err != nil {
		return nil, at, err
	}
	if len(e.Offsets) != 2 || e.Offsets[0] > e.Offsets[1] || e.Offsets[1] > uint64(data.n) {
		return nil, at, fmt.Errorf("data_offsets %v, want a range inside the file's %d bytes of data", e.Offsets, data.n)
	}
	begin, end := int64(e.Offsets[0]), int64(e.Offsets[1])
	if end-begin != int64(n)*int64(dtype.Size()) {
		return nil, at, fmt.Errorf("%s %v needs %d bytes, data_offsets give %d", dtype, e.Shape, n*dtype.Size(), end-begin)
	}
	if at, err = data.sub(begin, end-begin); err != nil {
		return nil, at, err
	}
	if e.Shape == nil {
		e.Shape = []int{}
	}
	t, err := newTensor(name, &storage{dtype: dtype, numel: n, blob: at}, 0, e.Shape, nil)
	return t, at, err
}

// noHoles checks that the tensors fill the data exactly.
func noHoles(spans []section, data section) error {
	slices.SortFunc(spans, func(a, b section) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.n, b.n)) })
	at := data.at
	for _, s := range spans {
		if s.at != at {
			return fmt.Errorf("the data at byte %d belong to no tensor or to two", min(at, s.at)-data.at)
		}
		at += s.n
	}
	if left := data.at + data.n - at; left != 0 {
		return fmt.Errorf("%d bytes after the last tensor", left)
	}
	return nil
}

// object calls f for each member of a JSON object in its order; a name that comes twice is an error.
func object(text []byte, f func(name string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(errors.New("not a JSON object"), files.JSONError(err, text))
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return files.JSONError(err, text)
		}
		name, _ := t.(string)
		if seen[name] {
			return fmt.Errorf("%q comes twice", name)
		}
		seen[name] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return files.JSONError(err, text)
		}
		if err := f(name, value); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return files.JSONError(err, text)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("text after the JSON object")
	}
	return nil
}
