package train

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/clipcap-go/clipcap/checkpoint"
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
	syncDir(dir)
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
	syncDir(dir)
	return os.RemoveAll(from)
}

// syncDir makes a renaming last, on systems that can.
func syncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
}

// state is run.json: where a run is, and what must be the same for it to go on.
type state struct {
	Done     int64    `json:"done"` // updates
	Settings Settings `json:"settings"`
	Data     string   `json:"data"`  // fingerprint of captions and features
	Start    string   `json:"start"` // fingerprint of what is not trained
	Best     *Best    `json:"best,omitempty"`
}

// Best is the best evaluation so far.
type Best struct {
	Step  int64   `json:"step"`
	Value float64 `json:"value"`
	Since int     `json:"evaluations_since"` // without a better one
}

// momentPiece is how many moments are written or read at a time.
const momentPiece = 1 << 16

// saveState writes what resuming needs beside the weights.
func (t *Trainer) saveState(dir string, best *Best) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	s := state{Done: t.done, Settings: t.Settings, Data: t.packer.Captions.Fingerprint(), Start: t.start, Best: best}
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

// Resume continues the run whose checkpoint lies in dir: parameters, moments and the number of updates made. The settings, the data and
// the weights that are not trained must be those of the run.
func (t *Trainer) Resume(dir string) (*Best, error) {
	best, err := t.resume(dir)
	if err != nil {
		return nil, fmt.Errorf("resume %s: %w", dir, err)
	}
	return best, nil
}

// readState reads the run.json of a checkpoint.
func readState(path string) (*state, error) {
	text, err := files.ReadAll(path, 1<<20)
	if err != nil {
		return nil, err
	}
	s, err := parseState(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

// parseState reads the text of a run.json.
func parseState(text []byte) (*state, error) {
	var s state
	if err := files.Unmarshal(text, &s); err != nil {
		return nil, err
	}
	if s.Done < 0 {
		return nil, fmt.Errorf("%d steps done, want 0 or more", s.Done)
	}
	return &s, nil
}

func (t *Trainer) resume(dir string) (*Best, error) {
	s, err := readState(filepath.Join(dir, stateDir, progress))
	if err != nil {
		return nil, err
	}
	if err := t.same(s); err != nil {
		return nil, err
	}
	model, err := weights.Open(filepath.Join(dir, checkpoint.WeightsFile))
	if err != nil {
		return nil, err
	}
	defer model.Close()
	saved, err := weights.Open(filepath.Join(dir, stateDir, tensors))
	if err != nil {
		return nil, err
	}
	defer saved.Close()
	read := func(from *weights.Store, name string, dst []float32) error {
		x := from.Tensor(name)
		if x == nil || x.Len() != len(dst) {
			return fmt.Errorf("%s: no tensor %s of %d numbers", from.Path, name, len(dst))
		}
		return x.ReadFloat32(dst)
	}
	adapters := map[string]bool{}
	for _, p := range t.Model.Adapters {
		adapters[p.Name] = true
	}
	for i, p := range t.opt.Params() {
		from := model
		if adapters[p.Name] {
			from = saved
		}
		if err := errors.Join(read(from, p.Name, p.Data), t.readMoments(saved, i)); err != nil {
			return nil, err
		}
		p.Changed()
	}
	t.done, t.opt.Steps = s.Done, int(s.Done)
	return s.Best, nil
}

// readMoments reads the moments of a parameter.
func (t *Trainer) readMoments(from *weights.Store, i int) error {
	p := t.opt.Params()[i]
	var both [2]*weights.Tensor
	for k, kind := range [...]string{"m.", "v."} {
		x := from.Tensor(kind + p.Name)
		if x == nil || x.Len() != len(p.Data) {
			return fmt.Errorf("%s: no tensor %s%s of %d numbers", from.Path, kind, p.Name, len(p.Data))
		}
		flat, err := x.Reshaped(x.Len())
		if err != nil {
			return err
		}
		both[k] = flat
	}
	var m, v [momentPiece]float32
	for at := 0; at < len(p.Data); at += momentPiece {
		n := min(momentPiece, len(p.Data)-at)
		for k, dst := range [...][]float32{m[:n], v[:n]} {
			piece, err := both[k].Rows(at, at+n)
			if err == nil {
				err = piece.ReadFloat32(dst)
			}
			if err != nil {
				return err
			}
		}
		if err := t.opt.SetMoments(i, at, m[:n], v[:n]); err != nil {
			return err
		}
	}
	return nil
}

// same tells what differs from the run that is to be resumed.
func (t *Trainer) same(s *state) error {
	var errs []error
	if s.Data != t.packer.Captions.Fingerprint() {
		errs = append(errs, errors.New("the captions or the features are not those of the run"))
	}
	if s.Start != t.start {
		errs = append(errs, errors.New("the weights that are not trained are not those of the run (--gpt2, --init)"))
	}
	was, is := fields(s.Settings), fields(t.Settings)
	for name, v := range is {
		if w := was[name]; string(w) != string(v) {
			errs = append(errs, fmt.Errorf("%s is %s, the run was started with %s", name, v, w))
		}
	}
	return errors.Join(errs...)
}

// fields are a struct's JSON members.
func fields(v any) map[string]json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain data
	}
	m := map[string]json.RawMessage{}
	if err := json.Unmarshal(text, &m); err != nil {
		panic(err)
	}
	return m
}
