package data

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"sort"
	"strconv"
	"strings"

	"github.com/clipcap-go/clipcap/weights"
)

// Features are the CLIP vectors of a data set's images, float32 [Rows, Dim], a row an image, left in the files they lie in. Read may be called by
// several goroutines at once, Find by one.
type Features struct {
	Path string
	Dim  int  // width of a feature
	Meta Meta // of a feature set; else empty

	shards []shard
	rows   int
	ids    []string // by row; nil: a row's number is its id
	byID   map[string]int32
	near   map[string]int32 // by plainID; -1: several
	stores []*weights.Store
	// captions are those a pickle of the original holds beside its features.
	captions []pickledCaption
}

// Meta is the part of a feature set's meta.json that training keeps: the encoder, by name and the SHA-256 of its file.
type Meta struct {
	CLIP struct {
		Name   string `json:"name"`
		SHA256 string `json:"sha256"`
	} `json:"clip"`
	Dim       int  `json:"dim"`
	Normalize bool `json:"normalize"` // the features have length 1 already
}

// shard is a run of rows.
type shard struct {
	path   string
	first  int
	tensor *weights.Tensor // [rows, Dim]
	view   []float32       // the same in place, where the system maps files
}

// maxDim bounds the width of a feature, far above any CLIP's.
const maxDim = 1 << 16

// add appends the rows of a tensor.
func (f *Features) add(path string, t *weights.Tensor) error {
	if len(t.Shape) != 2 || t.Shape[1] < 1 || t.Shape[1] > maxDim || !t.DType.Float() {
		return fmt.Errorf("%s: %s %v, want features: float16 or float32 [rows, dim]", path, t.DType, t.Shape)
	}
	if f.Dim != 0 && t.Shape[1] != f.Dim {
		return fmt.Errorf("%s: features of %d numbers, the rows before have %d", path, t.Shape[1], f.Dim)
	}
	f.Dim = t.Shape[1]
	s := shard{path: path, first: f.rows, tensor: t}
	s.view, _ = t.View()
	f.shards = append(f.shards, s)
	f.rows += t.Shape[0]
	if f.rows > 1<<31-1 {
		return fmt.Errorf("%s: more than 2^31 rows", path)
	}
	return nil
}

// Rows is the number of rows.
func (f *Features) Rows() int { return f.rows }

// Read copies row i to dst, which must be Dim long. A row that there is not, and a file that cannot be read, are errors.
func (f *Features) Read(dst []float32, i int) error {
	if len(dst) != f.Dim {
		return fmt.Errorf("%s: room for %d numbers, a feature has %d", f.Path, len(dst), f.Dim)
	}
	if i < 0 || i >= f.rows {
		return fmt.Errorf("%s: row %d of %d", f.Path, i, f.rows)
	}
	s, i := f.shard(i)
	if s.view != nil {
		copy(dst, s.view[i*f.Dim:][:f.Dim])
		return nil
	}
	t, err := s.tensor.Rows(i, i+1)
	if err == nil {
		err = t.ReadFloat32(dst)
	}
	if err != nil {
		return fmt.Errorf("%s: row %d: %w", f.Path, i, err)
	}
	return nil
}

// fingerprintRows bounds what Fingerprint reads.
const fingerprintRows = 64

// Fingerprint tells the features of one CLIP from those of another: a hash of some of the rows, spread evenly over all, the first and the
// last among them.
func (f *Features) Fingerprint() (string, error) {
	h := fnv.New64a()
	x := make([]float32, f.Dim)
	n := min(f.rows, fingerprintRows)
	for i := range n {
		if err := f.Read(x, i*(f.rows-1)/max(1, n-1)); err != nil {
			return "", err
		}
		for _, v := range x {
			var b [4]byte
			binary.LittleEndian.PutUint32(b[:], math.Float32bits(v))
			h.Write(b[:])
		}
	}
	return fmt.Sprintf("%016x", h.Sum64()), nil
}

// shard is the one that holds row i, and the row's number there.
func (f *Features) shard(i int) (*shard, int) {
	s := &f.shards[sort.Search(len(f.shards), func(j int) bool { return f.shards[j].first > i })-1]
	return s, i - s.first
}

// ID is the id of the image in row i; where the files have no ids it is the row's number.
func (f *Features) ID(i int) string {
	if f.ids == nil {
		return strconv.Itoa(i)
	}
	return f.ids[i]
}

// name gives the rows ids.
func (f *Features) name(ids []string) {
	f.ids = ids
	f.byID = make(map[string]int32, len(ids))
	for i, id := range ids {
		if _, ok := f.byID[id]; !ok {
			f.byID[id] = int32(i)
		}
	}
}

// Find is the row of an image. Ids that are spelled otherwise match where only one row can be meant: 42, 00000042,
// COCO_val2014_000000000042.jpg.
func (f *Features) Find(id string) (row int, ok bool) {
	if f.ids == nil {
		n, err := strconv.ParseUint(plainID(id), 10, 31)
		return int(n), err == nil && int(n) < f.rows
	}
	if i, ok := f.byID[id]; ok {
		return int(i), true
	}
	if f.near == nil {
		f.near = make(map[string]int32, len(f.ids))
		for i, id := range f.ids {
			key := plainID(id)
			if at, ok := f.near[key]; ok && f.ids[at] != id {
				f.near[key] = -1
			} else if !ok {
				f.near[key] = int32(i)
			}
		}
	}
	i, ok := f.near[plainID(id)]
	return int(i), ok && i >= 0
}

// plainID takes what surrounds an id in a file's name away: folder, extension, the data set's name, leading zeros.
func plainID(id string) string {
	id = id[strings.LastIndexAny(id, `/\`)+1:]
	if i := strings.LastIndexByte(id, '.'); i > 0 {
		id = id[:i]
	}
	digits := strings.TrimRight(id, "0123456789")
	if digits == "" || strings.HasPrefix(digits, "COCO_") && strings.HasSuffix(digits, "_") {
		n := strings.TrimLeft(id[len(digits):], "0")
		if n == "" && len(id) > len(digits) {
			n = "0"
		}
		return n
	}
	return id
}

// Close closes the files.
func (f *Features) Close() error {
	var errs []error
	for _, s := range f.stores {
		errs = append(errs, s.Close())
	}
	f.stores, f.shards, f.rows = nil, nil, 0
	return errors.Join(errs...)
}
