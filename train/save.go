package train

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/clipcap-go/clipcap/internal/files"
	"github.com/clipcap-go/clipcap/weights"
)

// The parts of a run's folder besides the checkpoint's own files.
const (
	stateDir = "state"    // what resuming needs
	writing  = ".writing" // a checkpoint being written
	written  = ".written" // a complete one, whose files are being moved to their places
	bestDir  = "best"     // the best checkpoint so far, without state
	progress = "run.json" // in stateDir
	tensors  = "state.safetensors"
	LogFile  = "log.jsonl"
	LockFile = ".lock" // Claim's
	PageFile = "report.html"
)

// commit replaces the checkpoint in dir by what write puts into a new folder. A crash at any moment leaves the old one or the new one:
// the new folder becomes valid by one renaming, and what follows is finished by recoverDir.
func commit(dir string, write func(dir string) error) error {
	stage := filepath.Join(dir, writing)
	if err := os.RemoveAll(stage); err != nil {
		return err
	}
	if err := os.MkdirAll(stage, 0o755); err != nil {
		return err
	}
	if err := write(stage); err != nil {
		os.RemoveAll(stage)
		return err
	}
	if err := os.Rename(stage, filepath.Join(dir, written)); err != nil {
		return err
	}
	files.SyncDir(dir)
	return recoverDir(dir)
}

// recoverDir finishes what a crash interrupted: a complete checkpoint is moved to its place, an incomplete one goes.
func recoverDir(dir string) error {
	if err := os.RemoveAll(filepath.Join(dir, writing)); err != nil {
		return err
	}
	from := filepath.Join(dir, written)
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(dir, rel), 0o755)
		}
		return os.Rename(path, filepath.Join(dir, rel))
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	files.SyncDir(dir)
	return os.RemoveAll(from)
}

// state is run.json: where a run is, and what must be the same for it to go on.
type state struct {
	Done     int64    `json:"done"` // updates
	Settings Settings `json:"settings"`
	Data     string   `json:"data"`               // fingerprint of captions and features
	Features string   `json:"features,omitempty"` // fingerprint of the features' numbers; runs of older versions have none
	Start    string   `json:"start"`              // fingerprint of what is not trained
	Best     *Best    `json:"best,omitempty"`
}

// Best is the best evaluation so far.
type Best struct {
	Step  int64   `json:"step"`              // the update it was made after
	Value float64 `json:"value"`             // the loss, or CIDEr where Run.KeepBest says so or no loss is measured
	By    string  `json:"by,omitempty"`      // which of them: ByLoss or ByCIDEr
	Since int     `json:"evaluations_since"` // without a better one
}

// momentPiece is how many moments are written or read at a time.
const momentPiece = 1 << 16

// saveState writes what resuming needs beside the weights.
func (t *Trainer) saveState(dir string, best *Best) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	s := state{Done: t.done, Settings: t.Settings, Data: t.packer.Captions.Fingerprint(), Features: t.features, Start: t.start, Best: best}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	err = weights.WriteFile(filepath.Join(dir, progress), func(w io.Writer) error {
		_, err := w.Write(append(text, '\n'))
		return err
	})
	if err != nil {
		return err
	}
	items := weights.OfParams(t.Model.Adapters, weights.F32)
	buf := make([]float32, momentPiece)
	for i, p := range t.opt.Params() {
		moment := func(kind string, read func(at int, x []float32) error) {
			items = append(items, weights.Raw(kind+"."+p.Name, weights.F32, p.Shape, func(w io.Writer) error {
				for at := 0; at < len(p.Data); at += len(buf) {
					x := buf[:min(len(buf), len(p.Data)-at)]
					if err := read(at, x); err != nil {
						return err
					}
					if err := writeFloats(w, x); err != nil {
						return err
					}
				}
				return nil
			}))
		}
		moment("m", func(at int, x []float32) error { return t.opt.Moments(i, at, x, nil) })
		moment("v", func(at int, x []float32) error { return t.opt.Moments(i, at, nil, x) })
	}
	return weights.WriteFile(filepath.Join(dir, tensors), func(w io.Writer) error { return weights.WriteSafetensors(w, nil, items) })
}

// writeFloats writes numbers little-endian.
func writeFloats(w io.Writer, x []float32) error {
	var b [4 << 10]byte
	for part := range slices.Chunk(x, len(b)/4) {
		for i, v := range part {
			binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(v))
		}
		if _, err := w.Write(b[:4*len(part)]); err != nil {
			return err
		}
	}
	return nil
}
