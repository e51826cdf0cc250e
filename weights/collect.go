package weights

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// collector finds the tensors in what a pickle holds and names them by the way to them: keys, attributes and
// list indices joined by dots.
type collector struct {
	store *Store
	path  []step
	depth int
	// nodes and text are budgets: a small pickle can name one object a great many times.
	nodes, text int64
}

// step is one part of the way: a key, or an index of a sequence, which has no key.
type step struct {
	key   string
	index int // -1: there is a key
}

const maxDepth = 1000

// collect adds the tensors of v; size, the file's, sets the budgets.
func (s *Store) collect(v any, size int64) error {
	c := &collector{store: s, nodes: 1<<20 + size, text: 1<<24 + size}
	return c.visit(v)
}

// visit adds the tensors in v, which the steps taken so far lead to.
func (c *collector) visit(v any) error {
	if c.nodes--; c.nodes < 0 {
		return errors.New("the object refers to itself, or repeats its parts without end")
	}
	if c.depth++; c.depth > maxDepth {
		return fmt.Errorf("objects nested more than %d deep", maxDepth)
	}
	defer func() { c.depth-- }()
	switch v := v.(type) {
	case *Tensor:
		return c.add(v)
	case *Dict:
		for _, e := range v.Entries {
			if err := c.enter(step{keyText(e.Key), -1}, e.Value); err != nil {
				return err
			}
		}
	case *Record:
		if v.State != nil {
			return c.visit(v.State)
		}
	case *List:
		return c.items(v.Items)
	case Tuple:
		return c.items(v)
	}
	return nil
}

// items visits a sequence. A pair of a name and a tensor is an entry of that name.
func (c *collector) items(items []any) error {
	for i, v := range items {
		at := step{index: i}
		if pair, ok := v.(Tuple); ok && len(pair) == 2 {
			name, named := pair[0].(string)
			if t, ok := pair[1].(*Tensor); ok && named {
				at, v = step{name, -1}, t
			}
		}
		if err := c.enter(at, v); err != nil {
			return err
		}
	}
	return nil
}

func (c *collector) enter(at step, v any) error {
	c.path = append(c.path, at)
	err := c.visit(v)
	c.path = c.path[:len(c.path)-1]
	return err
}

// add names a tensor. One that stands alone in its file is called "tensor".
func (c *collector) add(t *Tensor) error {
	for _, s := range c.path {
		c.text -= int64(len(s.key)) + 1
	}
	if c.text < 0 {
		return errors.New("the names of the tensors are longer than the file")
	}
	parts := make([]string, len(c.path))
	for i, s := range c.path {
		if parts[i] = s.key; s.index >= 0 {
			parts[i] = strconv.Itoa(s.index)
		}
	}
	u := *t
	if u.Name = strings.Join(parts, "."); len(parts) == 0 {
		u.Name = "tensor"
	}
	return c.store.add(&u)
}

// keyText is a dict key as part of a name.
func keyText(key any) string {
	switch k := key.(type) {
	case string:
		return k
	case int64:
		return strconv.FormatInt(k, 10)
	case bool:
		return strconv.FormatBool(k)
	}
	return "?"
}
