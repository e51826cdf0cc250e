package extract

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/internal/files"
	"github.com/clipcap-go/clipcap/weights"
)

// setMeta is a feature set's meta.json: what all its shards have in common.
type setMeta struct {
	Format       int    `json:"clipcap_features"` // 1
	CLIP         Model  `json:"clip"`
	Activation   string `json:"activation,omitempty"` // of the encoder; some files do not tell it
	Dim          int    `json:"dim"`
	DType        string `json:"dtype"`     // f16 or f32
	Normalize    bool   `json:"normalize"` // false: features are as the encoder gives them
	Precision    string `json:"precision"` // of the encoder's products
	Preprocess   string `json:"preprocess"`
	Images       int    `json:"images"`
	List         string `json:"images_sha256,omitempty"` // of the images' ids and names in their order
	ShardSize    int    `json:"shard_size"`
	SourceFormat string `json:"source,omitempty"`
}

// Model names a model and its file's SHA-256.
type Model struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256,omitempty"`
}

const metaFile = "meta.json"

// Counts is a shard's done-file: how many images it has, how many have a feature, and why the others have none.
type Counts struct {
	Images   int            `json:"images"`
	Features int            `json:"features"`
	Failed   map[string]int `json:"failed,omitempty"`
}

func (c *Counts) add(o Counts) {
	c.Images += o.Images
	c.Features += o.Features
	for status, n := range o.Failed {
		if c.Failed == nil {
			c.Failed = map[string]int{}
		}
		c.Failed[status] += n
	}
}

// line is an image in a shard's .jsonl.
type line struct {
	ID     annotation.ID `json:"id"`
	File   string        `json:"file,omitempty"`
	Row    *int          `json:"row,omitempty"`
	Status string        `json:"status,omitempty"`
	Error  string        `json:"error,omitempty"`
}

// writeFile writes a file under another name, and gives it its own when everything is on the disk.
func writeFile(path string, fill func(w *bufio.Writer) error) (err error) {
	f, err := os.Create(path + ".tmp")
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<18)
	err = fill(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		os.Remove(path + ".tmp")
		return err
	}
	return os.Rename(path+".tmp", path)
}

func writeJSON(path string, v any) error {
	return writeFile(path, func(w *bufio.Writer) error { return encodeJSON(w, v) })
}

func encodeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// writeMeta is writeJSON for what several processes may write at once, the same bytes: each under a name of its own.
func writeMeta(path string, meta setMeta) error {
	return weights.WriteFile(path, func(w io.Writer) error { return encodeJSON(w, meta) })
}

// readJSON reads a small file of ours.
func readJSON(path string, v any) error {
	text, err := files.ReadAll(path, 1<<20)
	if err != nil {
		return err
	}
	if err := files.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// shardPath is the path of a shard's file.
func shardPath(dir string, shard int, ext string) string {
	return filepath.Join(dir, fmt.Sprintf("%05d%s", shard, ext))
}

// writeShard writes the three files of a shard, the done-file last.
func writeShard(dir string, number int, lines []line, features [][]float32, dim int, half bool) (Counts, error) {
	c := Counts{Images: len(lines), Features: len(features)}
	err := writeFile(shardPath(dir, number, ".jsonl"), func(w *bufio.Writer) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		for _, l := range lines {
			if l.Row == nil {
				c.add(Counts{Failed: map[string]int{l.Status: 1}})
			}
			if err := e.Encode(l); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		err = writeFile(shardPath(dir, number, ".npy"), func(w *bufio.Writer) error { return writeNPY(w, features, dim, half) })
	}
	if err == nil {
		err = writeJSON(shardPath(dir, number, ".json"), c)
	}
	if err != nil {
		return c, fmt.Errorf("write shard %d: %w", number, err)
	}
	return c, nil
}

// writeNPY writes rows as a .npy of float16 or float32.
func writeNPY(w io.Writer, rows [][]float32, dim int, half bool) error {
	dtype := weights.F32
	if half {
		dtype = weights.F16
	}
	return weights.WriteNPY(w, weights.Floats("features", []int{len(rows), dim}, slices.Concat(rows...), dtype))
}

// ours are the names of the files a feature set consists of, finished or not.
var ours = regexp.MustCompile(`^(meta\.json|\d{5,}\.(npy|jsonl|json))(\.tmp)?$|^\.meta\.json\.\d+\.tmp$`)

// locks are the names of the locks of shards and of meta.json, of processes at work or killed.
var locks = regexp.MustCompile(`^(meta\.json|\d{5,})\.lock$`)

// prepare makes sure that the shards of meta may be written to dir.
func prepare(dir string, meta setMeta, resume, overwrite bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(entries) > 0 && overwrite {
		for _, e := range entries {
			if !locks.MatchString(e.Name()) {
				continue
			}
			l, err := files.TakeLock(filepath.Join(dir, e.Name()))
			if err != nil {
				return fmt.Errorf("--overwrite of %s: %w", dir, err)
			}
			l.Close() // which removes it
		}
		for _, e := range entries {
			if ours.MatchString(e.Name()) {
				if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
					return err
				}
			}
		}
	} else if len(entries) > 0 && !resume {
		return fmt.Errorf("%s is not empty: --resume goes on with the feature set in it, --overwrite starts it anew", dir)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	path := filepath.Join(dir, metaFile)
	l, err := files.TakeLock(path + ".lock")
	for ; errors.Is(err, files.ErrLocked); l, err = files.TakeLock(path + ".lock") {
		time.Sleep(10 * time.Millisecond) // of processes that start at once one writes it, and the others compare
	}
	if err != nil {
		return err
	}
	defer l.Close()
	var before setMeta
	switch err := readJSON(path, &before); {
	case errors.Is(err, fs.ErrNotExist):
		return writeMeta(path, meta)
	case err != nil:
		return err
	}
	if before.Activation == "" { // a set of before these were kept
		meta.Activation = ""
	}
	if before.List == "" {
		meta.List = ""
	}
	if before != meta {
		return fmt.Errorf("%s is of another extraction: %s", path, before.unlike(meta))
	}
	return nil
}

// unlike says in what a run differs from the one before.
func (m setMeta) unlike(run setMeta) string {
	var list []string
	before, now := reflect.ValueOf(m), reflect.ValueOf(run)
	for i := range before.NumField() {
		name, _, _ := strings.Cut(before.Type().Field(i).Tag.Get("json"), ",")
		x, y := before.Field(i).Interface(), now.Field(i).Interface()
		switch {
		case x == y || name == "images_sha256" && m.Images != run.Images: // of which the numbers say enough
		case name == "images_sha256":
			list = append(list, "other images, or the same under other names or in another order")
		default:
			list = append(list, fmt.Sprintf("%s %v there, %v in this run", name, x, y))
		}
	}
	return strings.Join(list, "; ")
}
