package weights

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/clipcap-go/clipcap/internal/files"
)

// WriteFile writes a file so that its name never stands for half of it: under a temporary name in the same folder, synced, then
// renamed. On an error nothing is left. A device or a pipe is written to as it is.
func WriteFile(path string, write func(w io.Writer) error) (err error) {
	if direct, err := files.Direct(path); err != nil || direct != nil {
		return writeDirect(direct, err, write)
	}
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	f, err := os.CreateTemp(dir, "."+base+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	out := bufio.NewWriterSize(f, 1<<20)
	if err := write(out); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	syncDir(dir)
	return nil
}

// writeDirect writes to what is no file to be replaced.
func writeDirect(f *os.File, err error, write func(w io.Writer) error) error {
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(f, 1<<20)
	if err = write(out); err == nil {
		err = out.Flush()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return files.Named(f.Name(), err)
	}
	return nil
}

// syncDir makes a renaming last, on systems that can.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
}

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
