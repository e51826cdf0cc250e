package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
)

// legacyMagic begins what torch.save wrote before zip archives: five pickles (this number, the protocol, the
// system, the object, the storages' keys), then the storages.
var legacyMagic, _ = new(big.Int).SetString("1950a86a20f9469cfc6c", 16)

const legacyProtocol = 1001

// readPickles reads a plain pickle, or a legacy file of torch.save.
func (s *Store) readPickles(src section) error {
	v, kind, err := loadTorch(src, 0)
	if err != nil {
		return err
	}
	s.Container, s.Object = kind, v
	return s.collect(v, src.n)
}

// loadTorch reads what pickle.dump or torch.save wrote, alone or inside the bytes of another.
func loadTorch(src section, depth int) (any, Container, error) {
	head, err := src.head(4)
	if err != nil {
		return nil, "", err
	}
	if bytes.Equal(head, []byte("PK\x03\x04")) {
		a, err := openArchive(src)
		if err != nil {
			return nil, "", err
		}
		v, err := a.load(depth)
		return v, a.container, err
	}
	u := &unpickler{cursor: cursor{src: src}, depth: depth}
	first, err := u.load()
	if err != nil {
		return nil, "", err
	}
	if n, ok := first.(*big.Int); ok && n.Cmp(legacyMagic) == 0 {
		v, err := loadLegacy(u)
		return v, TorchLegacy, err
	}
	return first, Pickle, nil
}

// loadLegacy reads the rest of a legacy file.
func loadLegacy(u *unpickler) (any, error) {
	protocol, err := u.load()
	if err != nil {
		return nil, err
	}
	if protocol != int64(legacyProtocol) {
		return nil, fmt.Errorf("torch.save protocol %v, want %d", protocol, legacyProtocol)
	}
	if _, err := u.load(); err != nil { // of the system; the storages are little-endian whatever it says
		return nil, err
	}
	stores := &storages{byID: map[storageID]*storage{}}
	u.persistent = stores.persistent
	v, err := u.load()
	if err != nil {
		return nil, err
	}
	u.persistent = nil
	list, err := u.load()
	if err != nil {
		return nil, err
	}
	keys, ok := list.(*List)
	if !ok {
		return nil, fmt.Errorf("%s where the list of storages is wanted", KindOf(list))
	}
	return v, stores.place(keys, &u.cursor)
}

// storages are those a pickle names, by key and type.
type storages struct {
	byID map[storageID]*storage
	// find gives the numbers of a new storage; nil: they follow later.
	find func(key string) (blob, error)
	big  bool
}

type storageID struct {
	key   string
	dtype DType
}

// persistent resolves ("storage", type, key, location, numel[, view metadata]).
func (s *storages) persistent(id any) (any, error) {
	t, ok := id.(Tuple)
	if !ok || len(t) != 5 && len(t) != 6 || t[0] != any("storage") {
		return nil, fmt.Errorf("a reference by %s, want one to a storage", KindOf(id))
	}
	class, ok1 := t[1].(Global)
	dtype, ok2 := storageTypes[class]
	key, ok3 := t[2].(string)
	n, ok4 := t[4].(int64)
	switch {
	case !ok1 || !ok2:
		return nil, fmt.Errorf("a storage of type %s", KindOf(t[1]))
	case !ok3 || !ok4:
		return nil, fmt.Errorf("a storage with key %s and size %s", KindOf(t[2]), KindOf(t[4]))
	case len(t) == 6 && t[5] != nil:
		return nil, errors.New("a view of a storage, as PyTorch before 0.4 wrote: not read")
	case key == "" || len(key) > 128 || strings.ContainsAny(key, "/\\\x00") || strings.Contains(key, ".."):
		return nil, fmt.Errorf("storage key %.64q is a path", key)
	case n < 0 || n > maxNumel:
		return nil, fmt.Errorf("storage %s of %d numbers", key, n)
	}
	of := storageID{key, dtype}
	if data := s.byID[of]; data != nil {
		if data.numel != int(n) {
			return nil, fmt.Errorf("storage %s has %d numbers in one place and %d in another", key, data.numel, n)
		}
		return data, nil
	}
	data := &storage{dtype: dtype, numel: int(n), big: s.big}
	if s.find != nil {
		b, err := s.find(key)
		if err != nil {
			return nil, err
		}
		if want := n * int64(dtype.Size()); b.size() != want {
			return nil, fmt.Errorf("storage %s: %d numbers of %s need %d bytes, its record has %d", key, n, dtype, want, b.size())
		}
		data.blob = b
	}
	s.byID[of] = data
	return data, nil
}

// place finds the storages of a legacy file: for each key of the list its size in numbers (int64) and the numbers.
func (s *storages) place(keys *List, c *cursor) error {
	waiting := map[string][]*storage{}
	for id, data := range s.byID {
		waiting[id.key] = append(waiting[id.key], data)
	}
	for _, k := range keys.Items {
		key, ok := k.(string)
		if !ok {
			return fmt.Errorf("%s in the list of storages", KindOf(k))
		}
		of := waiting[key]
		if len(of) != 1 {
			return fmt.Errorf("storage %.64q is listed and not used, listed twice, or of two types", key)
		}
		delete(waiting, key)
		p, err := c.take(8)
		if err != nil {
			return fmt.Errorf("storage %s: %w", key, err)
		}
		n, data := binary.LittleEndian.Uint64(p), of[0]
		if n != uint64(data.numel) {
			return fmt.Errorf("storage %s: the file holds %d numbers, its tensors count on %d", key, n, data.numel)
		}
		at, err := c.skip(int64(data.numel) * int64(data.dtype.Size()))
		if err != nil {
			return fmt.Errorf("storage %s: %w", key, err)
		}
		data.blob = at
	}
	if len(waiting) > 0 {
		var missing []string
		for key := range waiting {
			missing = append(missing, key)
		}
		return fmt.Errorf("storage %s is not in the file", slices.Min(missing))
	}
	return nil
}
