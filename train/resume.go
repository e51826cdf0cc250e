package train

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/internal/files"
	"github.com/clipcap-go/clipcap/weights"
)

// Resume continues the run whose checkpoint lies in dir: parameters, moments and the number of updates made. The settings, the data, the
// model's configuration and the weights that are not trained must be those of the run.
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

// resume is Resume; its errors do not name the folder yet.
func (t *Trainer) resume(dir string) (*Best, error) {
	s, err := readState(filepath.Join(dir, stateDir, progress))
	if err != nil {
		return nil, err
	}
	c, err := checkpoint.ReadConfig(dir)
	if err != nil {
		return nil, err
	}
	if err := t.same(s, c); err != nil {
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
func (t *Trainer) same(s *state, c checkpoint.Config) error {
	var errs []error
	if s.Data != t.packer.Captions.Fingerprint() {
		errs = append(errs, errors.New("the captions or the features are not those of the run"))
	} else if s.Features != "" && s.Features != t.features {
		errs = append(errs, errors.New("the features are not those of the run: their numbers are others (--features)"))
	}
	kept := func(s Settings) string { return fmt.Sprint(s.FrozenLM, s.Freeze, s.LoRA) } // which weights are not trained
	if s.Start != t.start && kept(s.Settings) == kept(t.Settings) {
		errs = append(errs, errors.New("the weights that are not trained are not those of the run (--gpt2, --init)"))
	}
	drops := t.Model.LM.Config // which the settings may have changed
	c.LM.EmbdDrop, c.LM.AttnDrop, c.LM.ResidDrop = drops.EmbdDrop, drops.AttnDrop, drops.ResidDrop
	errs = append(errs, differing(c.Config, t.Model.Config), differing(c.LM, t.Model.LM.Config), differing(s.Settings, t.Settings))
	return errors.Join(errs...)
}

// differing tells which members differ from what they were.
func differing(before, now any) error {
	was, is := fields(before), fields(now)
	all := maps.Clone(was) // either may lack what is empty
	maps.Copy(all, is)
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if w, v := was[name], is[name]; string(w) != string(v) {
			errs = append(errs, fmt.Errorf("%s is %s, the run was started with %s", name, cmp.Or(string(v), "none"), cmp.Or(string(w), "none")))
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
