package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"

	"github.com/clipcap-go/clipcap/internal/cli"
	"github.com/clipcap-go/clipcap/internal/files"
	"github.com/clipcap-go/clipcap/internal/plural"
	"github.com/clipcap-go/clipcap/weights"
	"github.com/clipcap-go/clipcap/weights/fetch"
)

var verify = &cli.Command{
	Name: "verify", Args: "FILE…", About: `read files of tensors to the last number
Each file is opened, every number of it is read, and its SHA-256 is compared with --sha256, or with that of the published file of the
same hash or name.`,
	Example: "clipcap-weights verify ViT-B-32.pt",
	Setup: func(f *flag.FlagSet) cli.Work {
		want := f.String("sha256", "", "what the file's SHA-256 must be, in `HEX`")
		asJSON := f.Bool("json", false, "print a line of JSON for each file")
		return func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
			if len(args) == 0 || *want != "" && len(args) > 1 {
				return cli.Misusef("verify: %d files, want at least one, and with --sha256 just one", len(args))
			}
			bad := 0
			for _, path := range args {
				v, err := verified(ctx, path, strings.ToLower(*want), stderr)
				if err != nil && len(args) == 1 {
					return err
				} else if err != nil {
					bad++
					fmt.Fprintln(stderr, "clipcap-weights:", err)
					continue
				}
				if err := v.print(stdout, *asJSON); err != nil {
					return err
				}
			}
			if bad > 0 {
				return fmt.Errorf("%d of %d files are not sound", bad, len(args))
			}
			return nil
		}
	},
}

// verdict is what verify finds out about a sound file.
type verdict struct {
	Path      string `json:"path"`
	SHA256    string `json:"sha256"`
	Published string `json:"published,omitempty"` // what the file is, if its hash is in the table
	Tensors   int    `json:"tensors"`
	Numbers   int    `json:"numbers"`
	NotFinite int    `json:"not_finite"` // numbers that are infinite or NaN
	// Tensors that hold them, in the file's order.
	NotFiniteIn []infinite `json:"not_finite_in,omitempty"`
}

// infinite is a tensor with numbers that are infinite or NaN.
type infinite struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// shownInfinite is how many such tensors are named on a line.
const shownInfinite = 5

// infiniteText names the tensors whose numbers are not all finite, the first few.
func (v verdict) infiniteText() string {
	text := fmt.Sprintf("%s infinite or NaN in %s: ", plural.Of(v.NotFinite, "number"), plural.Of(len(v.NotFiniteIn), "tensor"))
	for i, t := range v.NotFiniteIn[:min(shownInfinite, len(v.NotFiniteIn))] {
		if i > 0 {
			text += ", "
		}
		text += fmt.Sprintf("%s (%d)", shown(t.Name), t.Count)
	}
	if more := len(v.NotFiniteIn) - shownInfinite; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

func (v verdict) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return cli.PrintJSON(w, v)
	}
	what := ""
	if v.Published != "" {
		what = ", " + v.Published + " as published"
	}
	if v.NotFinite > 0 {
		what += ", " + v.infiniteText()
	}
	_, err := fmt.Fprintf(w, "%s: sound, %s, %s, sha256 %s%s\n", v.Path, plural.Of(v.Tensors, "tensor"), plural.Of(v.Numbers, "number"), v.SHA256, what)
	return err
}

// verified reads a file whole and compares its hash with want, or, where that is empty, with the published one.
func verified(ctx context.Context, path, want string, log io.Writer) (verdict, error) {
	s, err := weights.Open(path)
	if err != nil {
		return verdict{}, err
	}
	defer s.Close()
	v := verdict{Path: s.Path, Tensors: len(s.Tensors())}
	for _, t := range s.Tensors() {
		if err := ctx.Err(); err != nil {
			return v, err
		}
		n, err := notFinite(t)
		if err != nil {
			return v, fmt.Errorf("%s: %w", s.Path, err)
		}
		v.Numbers, v.NotFinite = v.Numbers+t.Len(), v.NotFinite+n
		if n > 0 {
			v.NotFiniteIn = append(v.NotFiniteIn, infinite{t.Name, n})
		}
	}
	if v.SHA256, err = hashOf(ctx, s.Path, log); err != nil {
		return v, err
	}
	if want != "" {
		if want == v.SHA256 {
			return v, nil
		}
		return v, fmt.Errorf("%s: its SHA-256 is %s, not %s", s.Path, v.SHA256, want)
	}
	v.Published, err = published(s.Path, v.SHA256)
	return v, err
}

// published finds a file in the table of published ones by its hash. A file that bears the name of one and is another is an error, where
// a name tells: many models call theirs model.safetensors.
func published(path, sum string) (string, error) {
	var of string
	for _, m := range fetch.Models() {
		for _, f := range m.Files {
			if f.SHA256 == sum {
				return m.Name, nil
			}
			if m.Kind == "clip" && f.Name == filepath.Base(path) {
				of = m.Name
			}
		}
	}
	if of != "" {
		return "", fmt.Errorf("%s: not the published %s: its SHA-256 is %s; with --sha256 any file can be checked", path, of, sum)
	}
	return "", nil
}

// notFinite reads all of a tensor and counts what is infinite or no number.
func notFinite(t *weights.Tensor) (int, error) {
	if !t.DType.Float() {
		_, err := t.WriteTo(io.Discard)
		return 0, err
	}
	n, rows := 0, 1
	if len(t.Shape) > 0 {
		rows = t.Shape[0]
	}
	step := max(1, (1<<20)*rows/max(1, t.Len()))
	for at := 0; at < rows; at += step {
		part := t
		if len(t.Shape) > 0 {
			var err error
			if part, err = t.Rows(at, min(rows, at+step)); err != nil {
				return n, err
			}
		}
		f, err := part.Float32s()
		if err != nil {
			return n, err
		}
		for _, x := range f {
			if math.IsInf(float64(x), 0) || x != x {
				n++
			}
		}
	}
	return n, nil
}

// hashOf is a file's SHA-256, with progress for large ones.
func hashOf(ctx context.Context, path string, log io.Writer) (string, error) {
	f, err := files.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	p := cli.NewProgress(log, "hash", info.Size(), true)
	defer p.Done()
	h := sha256.New()
	buf := make([]byte, 1<<20)
	for {
		n, err := f.Read(buf)
		h.Write(buf[:n])
		p.Add(int64(n))
		if err == io.EOF {
			return hex.EncodeToString(h.Sum(nil)), nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return "", err
		}
	}
}
