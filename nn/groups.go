package nn

import (
	"fmt"

	G "gorgonia.org/gorgonia"
)

// Groups are rows in equal groups, one group an image: the rows of a mapper or of an image encoder. Their
// indices follow from the number of images alone, so no run has to set them.

// derive keeps an int32 input in step with the number of live rows of another value.
type derive struct {
	value    *Value
	mul, div int
	fill     func(dst []int32, groups int) []int32
}

// scale multiplies the ratio of rows by mul/div, in lowest terms: a stack of convolutions would overflow it.
func (d *derive) scale(mul, div int) {
	a, b := d.mul*mul, d.div*div
	g, r := a, b
	for r != 0 {
		g, r = r, g%r
	}
	d.mul, d.div = a/g, b/g
}

// update recomputes the input for the given live rows of its root.
func (d *derive) update(rows int) {
	in := d.value.input
	in.ints = d.fill(in.ints[:0], rows*d.mul/d.div)
	in.set = true
	in.serial++
	d.value.mem.Rows = len(in.ints)
	for _, follower := range in.derived {
		follower.update(len(in.ints))
	}
}

// newDerived makes an input of at most room numbers that fill computes from the number of groups of per rows
// in x.
func newDerived(x *G.Node, what string, per, room int, fill func(dst []int32, groups int) []int32) *G.Node {
	n := NewInput(x.Graph(), fmt.Sprintf("%s of node %d", what, x.ID()), Int32, room)
	d := &derive{value: n.Value().(*Value), mul: 1, div: per, fill: fill}
	root := x
	for root.Op() != nil {
		o, ok := root.Op().(*Op)
		if !ok || o.results[0].rows < 0 {
			d.update(x.Shape()[0] * d.div / per) // always all rows
			return n
		}
		r := &o.results[0]
		if _, ok := o.attr.(tapOf); ok {
			panic(fmt.Sprintf("nn: groups of %v: not a first result", root))
		}
		d.scale(r.mul, r.div)
		root = inputsOf(root)[r.rows]
	}
	if in := inputOf(root); in != nil {
		in.derived = append(in.derived, d)
		if in.set {
			d.update(root.Value().(*Value).mem.Rows)
		}
	} else {
		d.update(root.Shape()[0])
	}
	return n
}

// groupsOf is how many groups of per rows fit in x.
func groupsOf(op string, x *G.Node, per int) int {
	rows, _ := mustMatrix(op, x)
	if per < 1 || rows%per != 0 {
		panic(fmt.Sprintf("nn: %s: %v in groups of %d rows", op, x.Shape(), per))
	}
	return rows / per
}

// Group says that the rows of x come in sequences of per rows each.
func Group(x *G.Node, per int) Sequences {
	groups := groupsOf("Group", x, per)
	starts := newDerived(x, "starts", per, groups+1, func(dst []int32, groups int) []int32 {
		for i := range groups + 1 {
			dst = append(dst, int32(i*per))
		}
		return dst
	})
	return Sequences{Starts: starts}
}

// AppendRows puts the rows of extra [m, dim] behind every group of per rows of x, and says how the
// result [groups·(per+m), dim] falls into sequences.
func AppendRows(x *G.Node, per int, extra *G.Node) (*G.Node, Sequences) {
	return around(x, per, extra, 0)
}

// PrependRows puts the rows of extra [m, dim] before every group of per rows of x.
func PrependRows(x *G.Node, per int, extra *G.Node) (*G.Node, Sequences) {
	return around(x, per, extra, extra.Shape()[0])
}

// around lays every group of x out behind lead rows of extra, with the rest of extra after it.
func around(x *G.Node, per int, extra *G.Node, lead int) (*G.Node, Sequences) {
	groups := groupsOf("AppendRows", x, per)
	m, _ := mustMatrix("AppendRows", extra)
	size := per + m
	pattern := func(own bool) func(dst []int32, groups int) []int32 {
		return func(dst []int32, groups int) []int32 {
			for g := range groups {
				for i := range size {
					isOwn, at := i >= lead && i < lead+per, i
					switch {
					case isOwn:
						at = g*per + i - lead
					case i >= lead+per:
						at = i - per
					}
					if isOwn != own {
						at = -1
					}
					dst = append(dst, int32(at))
				}
			}
			return dst
		}
	}
	y := Gather(
		Pick{x, newDerived(x, "own rows", per, groups*size, pattern(true))},
		Pick{extra, newDerived(x, "added rows", per, groups*size, pattern(false))})
	starts := newDerived(x, "starts with added rows", per, groups+1, func(dst []int32, groups int) []int32 {
		for i := range groups + 1 {
			dst = append(dst, int32(i*size))
		}
		return dst
	})
	return y, Sequences{Starts: starts}
}

// AddToGroups adds the rows of extra [per, dim] to every group of per rows of x: learned positions.
func AddToGroups(x *G.Node, extra *G.Node) *G.Node {
	per, dim := mustMatrix("AddToGroups", extra)
	groups := groupsOf("AddToGroups", x, per)
	mustShape("AddToGroups", "x", x, groups*per, dim)
	index := newDerived(x, "rows of positions", per, groups*per, func(dst []int32, groups int) []int32 {
		for range groups {
			for i := range per {
				dst = append(dst, int32(i))
			}
		}
		return dst
	})
	return Add(x, Gather(Pick{extra, index}))
}

// TakeRows keeps n rows, from row from on, of every group of per rows of x: [groups·n, dim].
func TakeRows(x *G.Node, per, from, n int) *G.Node {
	groups := groupsOf("TakeRows", x, per)
	if from < 0 || n < 1 || from+n > per {
		panic(fmt.Sprintf("nn: TakeRows: rows %d to %d of groups of %d", from, from+n, per))
	}
	index := newDerived(x, fmt.Sprintf("rows %d to %d", from, from+n), per, groups*n, func(dst []int32, groups int) []int32 {
		for g := range groups {
			for i := range n {
				dst = append(dst, int32(g*per+from+i))
			}
		}
		return dst
	})
	return Gather(Pick{x, index})
}

// PrependGroups puts the m rows of each group of extra before the per rows of the same group of x, and says how the
// result [groups·(per+m), dim] falls into sequences.
func PrependGroups(x *G.Node, per int, extra *G.Node, m int) (*G.Node, Sequences) {
	groups := groupsOf("PrependGroups", x, per)
	if groupsOf("PrependGroups", extra, m) != groups {
		panic(fmt.Sprintf("nn: PrependGroups: %v in groups of %d before %v in groups of %d", extra.Shape(), m, x.Shape(), per))
	}
	size := per + m
	rows := func(what string, from, n int) *G.Node {
		return newDerived(x, what, per, groups*size, func(dst []int32, groups int) []int32 {
			for g := range groups {
				for i := range size {
					at := -1
					if i >= from && i < from+n {
						at = g*n + i - from
					}
					dst = append(dst, int32(at))
				}
			}
			return dst
		})
	}
	y := Gather(Pick{x, rows("own rows", m, per)}, Pick{extra, rows("rows before", 0, m)})
	return y, Group(y, size)
}

// Stack puts the m rows of extra once behind all groups of per rows of x, [groups·per+m, dim]: what is computed of a row by itself is
// computed of rows that every group would have only once. each then gives every group its own of such a result,
// [groups·(per+m), …], as AppendRows lays x and extra out.
func Stack(x *G.Node, per int, extra *G.Node) (stacked *G.Node, each func(y *G.Node) *G.Node) {
	groups := groupsOf("Stack", x, per)
	m, _ := mustMatrix("Stack", extra)
	room := groups*per + m
	own := newDerived(x, "stacked rows", per, room, func(dst []int32, groups int) []int32 {
		for i := range groups * per {
			dst = append(dst, int32(i))
		}
		for range m {
			dst = append(dst, -1)
		}
		return dst
	})
	added := newDerived(x, "rows stacked once", per, room, func(dst []int32, groups int) []int32 {
		for range groups * per {
			dst = append(dst, -1)
		}
		for i := range m {
			dst = append(dst, int32(i))
		}
		return dst
	})
	back := newDerived(x, "rows of stacked", per, groups*(per+m), func(dst []int32, groups int) []int32 {
		for g := range groups {
			for i := range per {
				dst = append(dst, int32(g*per+i))
			}
			for i := range m {
				dst = append(dst, int32(groups*per+i))
			}
		}
		return dst
	})
	return Gather(Pick{x, own}, Pick{extra, added}), func(y *G.Node) *G.Node { return Gather(Pick{y, back}) }
}
