package data

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/internal/files"
	"github.com/clipcap-go/clipcap/weights"
)

// OpenFeatures opens a feature set (a folder that clipcap-extract wrote), a .npy file, a feature pickle of the original, or a folder of
// clip-retrieval's (img_emb/img_emb_0.npy, …). What is none of these, or holds rows of several widths, is an error that names the file.
func OpenFeatures(path string) (*Features, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("features: %w", err)
	}
	f := &Features{Path: path}
	if info.IsDir() {
		err = f.openFolder()
	} else {
		err = f.openFile()
	}
	if err == nil && len(f.shards) == 0 {
		err = errors.New("no features: want 00000.npy with its 00000.jsonl, or img_emb_0.npy")
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("features %w", files.Named(path, err))
	}
	return f, nil
}

// openFile opens a .npy file or a pickle.
func (f *Features) openFile() error {
	s, err := f.open(f.Path)
	if err != nil {
		return err
	}
	if s.Container == weights.NPY {
		return f.add(f.Path, s.Tensors()[0])
	}
	return f.addPickle(s)
}

func (f *Features) open(path string) (*weights.Store, error) {
	s, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	f.stores = append(f.stores, s)
	return s, nil
}

// openFolder opens the shards of a folder in their order.
func (f *Features) openFolder() error {
	for _, dir := range []string{f.Path, filepath.Join(f.Path, "img_emb")} {
		names, err := filepath.Glob(filepath.Join(escape(dir), "img_emb_*.npy"))
		if err != nil {
			return err
		}
		if len(names) > 0 {
			return f.addRetrieval(names)
		}
	}
	names, err := filepath.Glob(filepath.Join(escape(f.Path), "*.npy"))
	if err != nil {
		return err
	}
	sort.Strings(names)
	var ids []string
	for _, name := range names {
		if ids, err = f.addShard(name, ids); err != nil {
			return err
		}
	}
	f.name(ids)
	return f.readMeta(names)
}

// readMeta reads what a feature set says about itself, and holds its shards, files of these names, to it.
func (f *Features) readMeta(names []string) error {
	path := filepath.Join(f.Path, "meta.json")
	text, err := files.ReadAll(path, 1<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	var set struct {
		Meta
		Images    int `json:"images"`
		ShardSize int `json:"shard_size"`
	}
	if err := files.Unmarshal(text, &set); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	f.Meta = set.Meta
	there := map[string]bool{}
	for _, name := range names {
		there[filepath.Base(name)] = true
	}
	for first := 0; set.ShardSize > 0 && first < set.Images; first += set.ShardSize {
		if name := fmt.Sprintf("%05d.npy", first/set.ShardSize); !there[name] {
			return fmt.Errorf("%s is not there, though %s speaks of %d images in shards of %d; clipcap-extract with --resume goes on where it stopped",
				filepath.Join(f.Path, name), path, set.Images, set.ShardSize)
		}
	}
	if f.Meta.Dim != f.Dim {
		return fmt.Errorf("%s says dim %d, the features have %d", path, f.Meta.Dim, f.Dim)
	}
	return nil
}

// escape makes a folder's name harmless in a pattern.
func escape(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `[`, `\[`, `*`, `\*`, `?`, `\?`).Replace(dir)
}

// addRetrieval adds clip-retrieval's files in the order of their numbers.
func (f *Features) addRetrieval(names []string) error {
	number := func(name string) int {
		n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(filepath.Base(name), "img_emb_"), ".npy"))
		if err != nil {
			return -1
		}
		return n
	}
	slices.SortFunc(names, func(a, b string) int { return number(a) - number(b) })
	for i, name := range names {
		if number(name) != i {
			return fmt.Errorf("%s: want img_emb_%d.npy in its place: a part is missing", name, i)
		}
		s, err := f.open(name)
		if err != nil {
			return err
		}
		if err := f.add(name, s.Tensors()[0]); err != nil {
			return err
		}
	}
	return nil
}

// addShard adds one shard of a feature set, and the ids of its rows to ids.
func (f *Features) addShard(name string, ids []string) ([]string, error) {
	s, err := f.open(name)
	if err != nil {
		return nil, err
	}
	if err := f.add(name, s.Tensors()[0]); err != nil {
		return nil, err
	}
	list := strings.TrimSuffix(name, ".npy") + ".jsonl"
	if _, err := os.Stat(strings.TrimSuffix(name, ".npy") + ".json"); err != nil {
		return nil, fmt.Errorf("%s: its shard is not finished, there is no done-file %w; clipcap-extract goes on where it stopped", name, err)
	}
	r, err := files.Open(list)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing: it says which image each row is", list)
	} else if err != nil {
		return nil, err
	}
	defer r.Close()
	rows := s.Tensors()[0].Shape[0]
	first := len(ids)
	ids = append(ids, make([]string, rows)...)
	d := json.NewDecoder(bufio.NewReaderSize(r, 1<<16))
	for line := 1; d.More(); line++ {
		var im struct {
			ID  annotation.ID `json:"id"`
			Row *int          `json:"row"`
		}
		if err := d.Decode(&im); err != nil {
			return nil, fmt.Errorf("%s: object %d: %w", list, line, files.StreamError(err, d))
		}
		switch {
		case im.Row == nil: // this image failed
		case *im.Row < 0 || *im.Row >= rows:
			return nil, fmt.Errorf("%s: object %d: row %d, but %s has %d", list, line, *im.Row, filepath.Base(name), rows)
		case im.ID == "":
			return nil, fmt.Errorf("%s: object %d has no id", list, line)
		case ids[first+*im.Row] != "":
			return nil, fmt.Errorf("%s: object %d: row %d stands there twice", list, line, *im.Row)
		default:
			ids[first+*im.Row] = string(im.ID)
		}
	}
	if i := slices.Index(ids[first:], ""); i >= 0 {
		return nil, fmt.Errorf("%s: no image has row %d of %s", list, i, filepath.Base(name))
	}
	return ids, nil
}
