package weights

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/clipcap-go/clipcap/internal/files"
)

// readIndex opens the shards an index names: {"weight_map": {tensor: file}}, files in the index's own folder.
func (s *Store) readIndex(f *file) error {
	text, err := f.all().bytes(maxHeader)
	if err != nil {
		return err
	}
	if f.os == nil {
		return fmt.Errorf("an index of shards opens by its path only")
	}
	var index struct {
		Map json.RawMessage `json:"weight_map"`
	}
	if err := files.Unmarshal(text, &index); err != nil {
		return fmt.Errorf("index of shards: %w", err)
	}
	if index.Map == nil {
		return fmt.Errorf("a JSON file without weight_map: not an index of shards")
	}
	shards := map[string]*Store{}
	err = object(index.Map, func(name string, value json.RawMessage) error {
		var shard string
		if err := json.Unmarshal(value, &shard); err != nil {
			return fmt.Errorf("weight_map: %q: %w", name, err)
		}
		from, err := s.shard(shards, shard)
		if err != nil {
			return err
		}
		t := from.Tensor(name)
		if t == nil {
			return fmt.Errorf("%s lacks tensor %q, which the index says it has", shard, name)
		}
		return s.add(t)
	})
	if err != nil {
		s.files[0] = &file{} // the caller closes the index
		s.Close()
	}
	return err
}

// shard opens a shard once.
func (s *Store) shard(opened map[string]*Store, name string) (*Store, error) {
	if from := opened[name]; from != nil {
		return from, nil
	}
	if name != filepath.Base(name) || !filepath.IsLocal(name) {
		return nil, fmt.Errorf("weight_map names the file %q, want one in the index's own folder", name)
	}
	path := filepath.Join(s.Dir(), name)
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, fmt.Errorf("shard %s is missing beside the index", name)
	}
	f, err := openFile(path)
	if err != nil {
		return nil, err
	}
	s.files = append(s.files, f)
	if kind, err := sniff(f); err != nil || kind == sniffIndex {
		return nil, fmt.Errorf("shard %s is not a file of tensors: %v", name, err)
	}
	from, err := open(f)
	if err != nil {
		return nil, fmt.Errorf("shard %s: %w", name, err)
	}
	opened[name], s.Container = from, from.Container
	return from, nil
}
