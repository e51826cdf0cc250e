package weights

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/clipcap-go/clipcap/nn"
)

// Misfit says how the tensors of a file and the parameters of a model differ. It is the error of Bind.
type Misfit struct {
	Path    string
	Missing []string // parameters the file has nothing for
	Unused  []string // tensors no parameter takes
	Wrong   []string // tensors of another shape or type, each with what is wanted
}

// Error lists every tensor that does not fit.
func (e *Misfit) Error() string {
	var parts []string
	list := func(what string, names []string) {
		if len(names) > 0 {
			parts = append(parts, fmt.Sprintf("%d %s: %s", len(names), what, strings.Join(names, ", ")))
		}
	}
	list("missing", e.Missing)
	list("unused", e.Unused)
	list("of another shape", e.Wrong)
	return fmt.Sprintf("%s: the tensors do not fit the model: %s", e.Path, strings.Join(parts, "; "))
}

// Bind fills the parameters of a model from a file, strictly: each parameter must be there with its own shape, and each
// tensor must be used. Names that begin with one of without belong to parts of the file this model does without. On a
// *Misfit nothing was changed.
func (l *Layout) Bind(params nn.Params, without ...string) error {
	return l.BindEach(params, nil, without...)
}

// BindEach is Bind for models whose numbers do not stay: what taken returns for a parameter is called as soon as that one, or a part
// of it, is read, and must let go of the numbers, whose memory the next ones get. Nil means that they stay.
func (l *Layout) BindEach(params nn.Params, taken func(p *nn.Param) *nn.Taking, without ...string) error {
	bad := &Misfit{Path: l.store.Path, Unused: slices.Clone(l.unused)}
	used := map[string]bool{}
	for _, p := range params {
		used[p.Name] = true
		switch shape := l.Shape(p.Name); {
		case shape == nil:
			bad.Missing = append(bad.Missing, p.Name)
		case !slices.Equal(shape, p.Shape):
			bad.Wrong = append(bad.Wrong, fmt.Sprintf("%s is %s, want %v", p.Name, l.shapes(p.Name), p.Shape))
		case !l.float(p.Name):
			bad.Wrong = append(bad.Wrong, fmt.Sprintf("%s holds %s, want floats", p.Name, l.places[p.Name][0].DType))
		}
	}
	for _, name := range l.names {
		if !used[name] && !slices.ContainsFunc(without, func(w string) bool { return strings.HasPrefix(name, w) }) {
			for _, t := range l.places[name] {
				bad.Unused = append(bad.Unused, t.Name)
			}
		}
	}
	if len(bad.Missing)+len(bad.Unused)+len(bad.Wrong) > 0 {
		return bad
	}
	if taken == nil {
		return l.read(params)
	}
	return l.readEach(params, taken)
}

// readEach reads one parameter after the other where they are taken, the largest first, and the rest together.
func (l *Layout) readEach(params nn.Params, taken func(p *nn.Param) *nn.Taking) error {
	var stay, leave nn.Params
	take := map[*nn.Param]*nn.Taking{}
	for _, p := range params {
		if t := taken(p); t != nil {
			take[p], leave = t, append(leave, p)
			p.Data = nil
		} else {
			stay = append(stay, p)
		}
	}
	var memory []float32
	lend := func(n int) []float32 {
		if n > len(memory) || 2*n <= len(memory) && len(memory) > pieceLen { // do not hold on to so much more
			memory = nil
			debug.FreeOSMemory()
			memory = make([]float32, n)
		}
		return memory[:n]
	}
	slices.SortStableFunc(leave, func(a, b *nn.Param) int { return size(b) - size(a) })
	for _, p := range leave {
		if rows := l.parts(p); rows > 0 && take[p].Part != nil {
			if err := l.readParts(p, rows, lend, take[p].Part); err != nil {
				return err
			}
			continue
		}
		p.Data = lend(size(p))
		if err := l.read(nn.Params{p}); err != nil {
			return err
		}
		take[p].Whole()
	}
	memory = nil
	debug.FreeOSMemory()
	return l.read(stay)
}

// partLen is how many numbers of a parameter are in hand at once where it can come in parts: 16 MB. Tests change it.
var partLen = 4 * pieceLen

// parts is how many rows of a parameter make a part, 0 where it is small, or cannot be read from any place.
func (l *Layout) parts(p *nn.Param) int {
	t := l.places[p.Name]
	if size(p) <= partLen || len(t) != 1 || len(p.Shape) != 2 || !t[0].anywhere() {
		return 0
	}
	return max(1, partLen/(p.Shape[1]*nn.PartRows)) * nn.PartRows
}

// readParts hands a parameter over in parts of so many rows.
func (l *Layout) readParts(p *nn.Param, rows int, lend func(n int) []float32, part func(first int, rows []float32)) error {
	p.Changed()
	n, width := p.Shape[0], p.Shape[1]
	for at := 0; at < n; at += rows {
		end := min(n, at+rows)
		t, err := l.places[p.Name][0].Rows(at, end)
		if err != nil {
			return named(l.store.Path, err)
		}
		dst := lend(min(n, rows) * width)[:(end-at)*width]
		if err := readPieces(split(t, dst)); err != nil {
			return named(l.store.Path, err)
		}
		part(at, dst)
	}
	return nil
}

func size(p *nn.Param) int {
	n := 1
	for _, d := range p.Shape {
		n *= d
	}
	return n
}

// shapes tells a parameter's shape in the file, part by part where there are several.
func (l *Layout) shapes(name string) string {
	var all []string
	for _, t := range l.places[name] {
		all = append(all, fmt.Sprint(t.Shape))
	}
	return strings.Join(all, " on ")
}

func (l *Layout) float(name string) bool {
	return !slices.ContainsFunc(l.places[name], func(t *Tensor) bool { return !t.DType.Float() })
}

// piece is a share of the reading: some rows of a tensor, and where they go.
type piece struct {
	t   *Tensor
	dst []float32
}

// pieceLen is how many numbers one worker reads at a time, about.
const pieceLen = 1 << 20

// read fills the parameters, in parallel.
func (l *Layout) read(params nn.Params) error {
	var pieces []piece
	for _, p := range params {
		dst := p.Data
		for _, t := range l.places[p.Name] {
			pieces = append(pieces, split(t, dst[:t.Len()])...)
			dst = dst[t.Len():]
		}
	}
	if err := readPieces(pieces); err != nil {
		return named(l.store.Path, err)
	}
	for _, p := range params {
		p.Changed()
	}
	return nil
}

// anywhere tells whether a tensor can be read from any row on.
func (t *Tensor) anywhere() bool {
	_, direct := t.data.blob.(section)
	return direct && t.contiguous()
}

// split cuts a tensor that can be read from any place into pieces of whole rows.
func split(t *Tensor, dst []float32) []piece {
	if len(dst) <= pieceLen || !t.anywhere() {
		return []piece{{t, dst}}
	}
	var pieces []piece
	rows := t.Shape[0]
	width := len(dst) / rows
	step := max(1, pieceLen/width)
	for at := 0; at < rows; at += step {
		end := min(rows, at+step)
		part, err := t.Rows(at, end)
		if err != nil {
			return []piece{{t, dst}}
		}
		pieces = append(pieces, piece{part, dst[at*width : end*width]})
	}
	return pieces
}

func readPieces(pieces []piece) error {
	var next atomic.Int64
	var group sync.WaitGroup
	workers := min(runtime.GOMAXPROCS(0), len(pieces))
	errs := make([]error, workers)
	for w := range workers {
		group.Go(func() {
			for errs[w] == nil {
				i := int(next.Add(1)) - 1
				if i >= len(pieces) {
					return
				}
				errs[w] = pieces[i].t.ReadFloat32(pieces[i].dst)
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// Same tells whether two parameters of a file hold the same numbers: tied weights, in whatever way they were written.
func (l *Layout) Same(a, b string) (bool, error) {
	x, y := l.places[a], l.places[b]
	if len(x) != 1 || len(y) != 1 || !slices.Equal(x[0].Shape, y[0].Shape) {
		return false, nil
	}
	if x[0].sameNumbers(y[0]) {
		return true, nil
	}
	return sameValues(x[0], y[0])
}

// sameValues compares some rows at a time.
func sameValues(a, b *Tensor) (bool, error) {
	if len(a.Shape) == 0 || !a.contiguous() || !b.contiguous() {
		return false, nil
	}
	rows := a.Shape[0]
	step := max(1, pieceLen*rows/max(1, a.Len()))
	for at := 0; at < rows; at += step {
		var f [2][]float32
		for i, t := range []*Tensor{a, b} {
			part, err := t.Rows(at, min(rows, at+step))
			if err == nil {
				f[i], err = part.Float32s()
			}
			if err != nil {
				return false, err
			}
		}
		if !slices.Equal(f[0], f[1]) {
			return false, nil
		}
	}
	return true, nil
}
