package weights

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// Container says how a file holds its tensors.
type Container string

// The containers that are read.
const (
	Safetensors Container = "safetensors"
	TorchZip    Container = "torch zip"
	TorchLegacy Container = "torch legacy"
	TorchScript Container = "TorchScript"
	Pickle      Container = "pickle"
	NPY         Container = "npy"
	NPZ         Container = "npz"
)

// Store is an opened file, or several that belong together, with the tensors in it.
type Store struct {
	Path      string
	Container Container
	// Metadata is what a safetensors header says about the file, nil elsewhere.
	Metadata map[string]string
	// Object is what a pickle holds (see Dict, List, Tuple, Bytes, Record, Tensor), nil elsewhere.
	Object any

	tensors []*Tensor
	byName  map[string]*Tensor
	files   []*file
}

// Open opens a file or a folder. A folder is that of a model: its safetensors file or index, else its PyTorch file or index. An
// index (….index.json) opens all shards. Errors name the file.
func Open(path string) (*Store, error) {
	path, err := inFolder(path)
	if err != nil {
		return nil, err
	}
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	s, err := open(f)
	if err != nil {
		f.close()
		return nil, named(path, err)
	}
	return s, nil
}

// OpenReader opens what r holds, size bytes long; name stands for it in errors. An index of shards is refused: it
// names files beside it.
func OpenReader(name string, r io.ReaderAt, size int64) (*Store, error) {
	s, err := open(&file{name: name, size: size, r: r})
	if err != nil {
		return nil, named(name, err)
	}
	return s, nil
}

// named puts the file's name in front of an error that does not have it yet.
func named(path string, err error) error {
	if strings.HasPrefix(err.Error(), path+":") {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}

func open(f *file) (*Store, error) {
	s := &Store{Path: f.name, byName: map[string]*Tensor{}, files: []*file{f}}
	kind, err := sniff(f)
	if err != nil {
		return nil, err
	}
	switch kind {
	case sniffIndex:
		return s, s.readIndex(f)
	case sniffSafetensors:
		return s, s.readSafetensors(f.all())
	case sniffZip:
		return s, s.readZip(f.all())
	case sniffNPY:
		return s, s.readNPY(f.all())
	}
	return s, s.readPickles(f.all())
}

// add takes a tensor into the store.
func (s *Store) add(t *Tensor) error {
	if s.byName[t.Name] != nil {
		return fmt.Errorf("two tensors are called %q", t.Name)
	}
	s.byName[t.Name] = t
	s.tensors = append(s.tensors, t)
	return nil
}

// Tensors are all tensors in the file's order.
func (s *Store) Tensors() []*Tensor { return slices.Clone(s.tensors) }

// Tensor finds a tensor by its name, or nil.
func (s *Store) Tensor(name string) *Tensor { return s.byName[name] }

// Dir is the folder the store's file lies in.
func (s *Store) Dir() string { return filepath.Dir(s.Path) }

// Close closes the files and ends every View.
func (s *Store) Close() error {
	var all error
	for _, f := range s.files {
		all = errors.Join(all, f.close())
	}
	return all
}
