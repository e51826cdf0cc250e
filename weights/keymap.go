package weights

import (
	"fmt"
	"slices"
	"strings"
)

// Place says what a tensor of a file is to a model.
type Place struct {
	// Param is the parameter's name; empty for a tensor that no model needs, such as a mask that older files hold.
	Param string
	// Part of Parts: the tensor is one of several that stand one below the other in the parameter. Parts 0: it is all of it.
	Part, Parts int
	// Transpose exchanges rows and columns on the way.
	Transpose bool
}

// KeyMap gives a tensor its place by its name, or says that it does not know the name.
type KeyMap func(name string) (Place, bool)

// Layout is a store seen through a key map: its tensors under the names a model's parameters have.
type Layout struct {
	store  *Store
	places map[string][]*Tensor // of a parameter: its parts, top first
	names  []string             // of the parameters, in the file's order
	unused []string             // tensors the key map does not know, by their names in the file
}

// Map sees the store through a key map. What training programs put around a state dict is taken away first: with tensors
// under "state_dict." only those count, and a "module." in front of every name is dropped.
func (s *Store) Map(m KeyMap) (*Layout, error) {
	l := &Layout{store: s, places: map[string][]*Tensor{}}
	tensors, wrapper := s.unwrapped()
	for _, t := range tensors {
		p, known := m(t.Name[len(wrapper):])
		switch {
		case !known:
			l.unused = append(l.unused, t.Name)
		case p.Param != "":
			if err := l.put(t, p); err != nil {
				return nil, named(s.Path, err)
			}
		}
	}
	for _, name := range l.names {
		if slices.Contains(l.places[name], nil) {
			return nil, fmt.Errorf("%s: parts of %s are missing", s.Path, name)
		}
	}
	return l, nil
}

// unwrapped are the tensors of the state dict, and what stands in front of their names.
func (s *Store) unwrapped() (tensors []*Tensor, wrapper string) {
	tensors = s.tensors
	within := func(prefix string) (in []*Tensor) {
		for _, t := range tensors {
			if strings.HasPrefix(t.Name, prefix) {
				in = append(in, t)
			}
		}
		return in
	}
	if in := within("state_dict."); len(in) > 0 {
		tensors, wrapper = in, "state_dict."
	}
	if in := within(wrapper + "module."); len(in) > 0 && len(in) == len(tensors) {
		wrapper += "module."
	}
	return tensors, wrapper
}

// put places one tensor.
func (l *Layout) put(t *Tensor, p Place) error {
	if p.Transpose {
		u, err := t.Transposed()
		if err != nil {
			return err
		}
		t = u
	}
	parts := l.places[p.Param]
	if parts == nil {
		parts = make([]*Tensor, max(1, p.Parts))
		l.places[p.Param] = parts
		l.names = append(l.names, p.Param)
	}
	if p.Part >= len(parts) || parts[p.Part] != nil {
		return fmt.Errorf("tensor %q and another one are both %s", t.Name, p.Param)
	}
	parts[p.Part] = t
	return nil
}

// Names are the parameters the store has numbers for, in the file's order.
func (l *Layout) Names() []string { return slices.Clone(l.names) }

// Has tells whether the store has a parameter.
func (l *Layout) Has(name string) bool { return l.places[name] != nil }

// Shape is a parameter's shape in the store, nil where it is not there. Parts that do not fit together give a shape that
// fits nothing.
func (l *Layout) Shape(name string) []int {
	parts := l.places[name]
	if parts == nil {
		return nil
	}
	shape := append([]int{}, parts[0].Shape...)
	for _, t := range parts[1:] {
		if len(t.Shape) == 0 || len(shape) == 0 || !slices.Equal(t.Shape[1:], shape[1:]) {
			return []int{-1}
		}
		shape[0] += t.Shape[0]
	}
	return shape
}

// Dim is a size of a parameter's shape, 0 where the parameter is not there or has fewer dimensions.
func (l *Layout) Dim(name string, axis int) int {
	if s := l.Shape(name); axis < len(s) {
		return max(0, s[axis])
	}
	return 0
}

// Count is the number of consecutive indices i, from 0 on, for which a parameter is called before + i + after.
func (l *Layout) Count(before, after string) int {
	n := 0
	for l.Has(fmt.Sprintf("%s%d%s", before, n, after)) {
		n++
	}
	return n
}

// Len is the number of numbers the store has for parameters: what bounds the memory a model of it can need.
func (l *Layout) Len() int {
	n := 0
	for _, parts := range l.places {
		for _, t := range parts {
			n += t.Len()
		}
	}
	return n
}

// Items are the parameters the store has, by their names in the model, to be written; see [Copy] for dtype.
func (l *Layout) Items(dtype DType) ([]Item, error) {
	var all []Item
	for _, name := range l.names {
		item, err := Copy(name, dtype, l.places[name]...)
		if err != nil {
			return nil, named(l.store.Path, err)
		}
		all = append(all, item)
	}
	return all, nil
}
