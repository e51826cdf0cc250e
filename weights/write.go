package weights

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/clipcap-go/clipcap/internal/files"
)

// WriteFile writes a file so that its name never stands for half of it: under a temporary name in the same folder, synced, then
// renamed. On an error nothing is left. A device or a pipe is written to as it is.
func WriteFile(path string, write func(w io.Writer) error) error { return files.Replace(path, write) }

// dataAlign is where the numbers begin, so that a mapped file gives aligned vectors.
const dataAlign = 64

// WriteSafetensors writes items in the safetensors format as they come; metadata may be nil. Wide types stand first, so that
// every tensor is aligned to its type.
func WriteSafetensors(w io.Writer, metadata map[string]string, items []Item) error {
	if err := checkItems(items); err != nil {
		return err
	}
	items = slices.Clone(items)
	slices.SortStableFunc(items, func(a, b Item) int { return b.DType.Size() - a.DType.Size() })
	head, err := header(metadata, items)
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	for _, e := range items {
		if err := e.put(w); err != nil {
			return err
		}
	}
	return nil
}

// header is the length and the JSON, with spaces up to where the numbers begin.
func header(metadata map[string]string, items []Item) ([]byte, error) {
	text := []byte{'{'}
	member := func(name string, value any) error {
		if len(text) > 1 {
			text = append(text, ',')
		}
		for i, v := range []any{name, value} {
			b, err := json.Marshal(v)
			if err != nil {
				return err
			}
			if text = append(text, b...); i == 0 {
				text = append(text, ':')
			}
		}
		return nil
	}
	if len(metadata) > 0 {
		if err := member("__metadata__", metadata); err != nil {
			return nil, err
		}
	}
	at := uint64(0)
	for _, e := range items {
		n, err := e.size()
		if err != nil {
			return nil, err
		}
		if err := member(e.Name, span{e.DType.String(), append([]int{}, e.Shape...), []uint64{at, at + uint64(n)}}); err != nil {
			return nil, err
		}
		at += uint64(n)
	}
	text = append(text, '}')
	for (8+len(text))%dataAlign != 0 {
		text = append(text, ' ')
	}
	if len(text) > maxHeader {
		return nil, fmt.Errorf("write: a header of %d bytes, at most %d are allowed", len(text), maxHeader)
	}
	return append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...), nil
}
