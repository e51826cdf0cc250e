package weights

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"strings"
)

// maxPickle bounds a data.pkl that has to be decompressed into memory.
const maxPickle = 64 << 20

// archive is a zip file of torch.save or TorchScript: <root>/data.pkl, <root>/data/<key>, <root>/byteorder, and more that is
// left alone, code and constants above all.
type archive struct {
	src       section
	records   map[string]*zip.File
	root      string // with its slash; may be empty
	container Container
}

// readZip reads an archive of PyTorch's, or numpy's .npz.
func (s *Store) readZip(src section) error {
	a, err := openArchive(src)
	if err != nil {
		return err
	}
	if s.Container = a.container; a.container == NPZ {
		return s.readNPZ(a)
	}
	if s.Object, err = a.load(0); err != nil {
		return err
	}
	return s.collect(s.Object, src.n)
}

// openArchive reads the directory of a zip file and tells what it holds.
func openArchive(src section) (*archive, error) {
	z, err := zip.NewReader(src, src.n)
	if err != nil {
		return nil, fmt.Errorf("zip archive: %w (a file cut short, perhaps: its directory stands at the end)", err)
	}
	a := &archive{src: src, records: make(map[string]*zip.File, len(z.File)), container: TorchZip}
	arrays := len(z.File) > 0
	for _, f := range z.File {
		if a.records[f.Name] != nil {
			return nil, fmt.Errorf("zip archive: record %q comes twice", f.Name)
		}
		a.records[f.Name] = f
		arrays = arrays && strings.HasSuffix(f.Name, ".npy")
	}
	if arrays {
		a.container = NPZ
		return a, nil
	}
	found := false
	for name := range a.records {
		root, ok := strings.CutSuffix(name, "data.pkl")
		if !ok || root != "" && !strings.HasSuffix(root, "/") || found && len(root) > len(a.root) {
			continue
		}
		if found && len(root) == len(a.root) {
			return nil, fmt.Errorf("zip archive: two objects, %q and %q", a.root+"data.pkl", name)
		}
		a.root, found = root, true
	}
	if !found {
		return nil, errors.New("zip archive: no data.pkl, as PyTorch's have, and not arrays of numpy only")
	}
	if a.records[a.root+"constants.pkl"] != nil {
		a.container = TorchScript
	}
	return a, nil
}

// load runs data.pkl.
func (a *archive) load(depth int) (any, error) {
	stores := &storages{byID: map[storageID]*storage{}, find: func(key string) (blob, error) { return a.record(a.root + "data/" + key) }}
	switch order, err := a.text("byteorder"); {
	case err != nil:
		return nil, err
	case order == "big":
		stores.big = true
	case order != "" && order != "little":
		return nil, fmt.Errorf("byteorder is %.16q, want little or big", order)
	}
	b, err := a.record(a.root + "data.pkl")
	if err != nil {
		return nil, err
	}
	src, ok := b.(section)
	if !ok {
		if src, err = inflate(b, a.src.f.name); err != nil {
			return nil, fmt.Errorf("data.pkl: %w", err)
		}
	}
	u := &unpickler{cursor: cursor{src: src}, persistent: stores.persistent, depth: depth}
	v, err := u.load()
	if err != nil {
		return nil, fmt.Errorf("data.pkl: %w", err)
	}
	return v, nil
}

// text reads a small record, "" where there is none.
func (a *archive) text(name string) (string, error) {
	if a.records[a.root+name] == nil {
		return "", nil
	}
	b, err := a.record(a.root + name)
	if err != nil {
		return "", err
	}
	if b.size() > 64 {
		return "", fmt.Errorf("record %s has %d bytes", name, b.size())
	}
	r, err := b.open(0)
	if err != nil {
		return "", err
	}
	defer r.Close()
	p, err := io.ReadAll(r)
	return strings.TrimSpace(string(p)), err
}

// record is a record's bytes: in place where it is stored, else to be decompressed.
func (a *archive) record(name string) (blob, error) {
	f := a.records[name]
	if f == nil {
		return nil, fmt.Errorf("record %q is missing", name)
	}
	if f.Flags&1 != 0 {
		return nil, fmt.Errorf("record %q is encrypted", name)
	}
	at, err := f.DataOffset()
	if err != nil {
		return nil, fmt.Errorf("record %q: %w", name, err)
	}
	packed, err := a.src.sub(at, int64(f.CompressedSize64))
	if err != nil {
		return nil, fmt.Errorf("record %q: %w", name, err)
	}
	switch f.Method {
	case zip.Store:
		if f.UncompressedSize64 != f.CompressedSize64 {
			return nil, fmt.Errorf("record %q: stored, yet %d bytes become %d", name, f.CompressedSize64, f.UncompressedSize64)
		}
		return packed, nil
	case zip.Deflate:
		// No deflate stream expands more than 1032 times.
		if size := int64(f.UncompressedSize64); size < 0 || size/1032 > packed.n {
			return nil, fmt.Errorf("record %q: %d bytes cannot become %d", name, packed.n, f.UncompressedSize64)
		}
		return &deflated{f}, nil
	}
	return nil, fmt.Errorf("record %q: compression method %d is not read", name, f.Method)
}

// deflated is a compressed record.
type deflated struct{ f *zip.File }

func (d *deflated) size() int64  { return int64(d.f.UncompressedSize64) }
func (d *deflated) view() []byte { return nil }

func (d *deflated) open(offset int64) (io.ReadCloser, error) {
	r, err := d.f.Open()
	if err != nil {
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, r, offset); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// inflate decompresses a pickle into memory.
func inflate(b blob, name string) (section, error) {
	if b.size() > maxPickle {
		return section{}, fmt.Errorf("%d bytes when decompressed, at most %d are read", b.size(), maxPickle)
	}
	r, err := b.open(0)
	if err != nil {
		return section{}, err
	}
	defer r.Close()
	p, err := io.ReadAll(io.LimitReader(r, b.size()))
	return memory(name, p).all(), err
}

// readNPZ takes the arrays of an .npz file under their names without .npy.
func (s *Store) readNPZ(a *archive) error {
	z, err := zip.NewReader(a.src, a.src.n) // once more, for the order
	if err != nil {
		return err
	}
	for _, f := range z.File {
		b, err := a.record(f.Name)
		if err != nil {
			return err
		}
		t, err := npyTensor(strings.TrimSuffix(f.Name, ".npy"), b)
		if err == nil {
			err = s.add(t)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return nil
}
