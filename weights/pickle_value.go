package weights

import (
	"fmt"
	"math/big"
)

// What a pickle holds is given as: nil, bool, int64, *big.Int, float64, string, Bytes, *List, Tuple, *Dict, *Set, *Record,
// *Tensor, and Global where a class stands for itself.

// List is a Python list.
type List struct{ Items []any }

// Tuple is a Python tuple, torch.Size among them.
type Tuple []any

// Dict is a Python dict in its order; for a key that comes twice the later value counts.
type Dict struct{ Entries []Entry }

// Entry is one key of a Dict with its value.
type Entry struct{ Key, Value any }

// Get finds the value of a string key.
func (d *Dict) Get(key string) (any, bool) {
	for i := len(d.Entries) - 1; i >= 0; i-- {
		if k, ok := d.Entries[i].Key.(string); ok && k == key {
			return d.Entries[i].Value, true
		}
	}
	return nil, false
}

// Set is a Python set.
type Set struct{ Items []any }

// Record is an object of a class that is known to be harmless and not known otherwise: its name and its state, no behaviour.
type Record struct {
	Class string
	Args  Tuple
	State any
}

// Bytes is a Python bytes object, left in the file.
type Bytes struct{ at section }

// Len is the number of bytes.
func (b Bytes) Len() int64 { return b.at.n }

// Read copies the bytes; at most limit of them are accepted.
func (b Bytes) Read(limit int64) ([]byte, error) {
	p, err := b.at.bytes(limit)
	if err != nil {
		return nil, fmt.Errorf("bytes object: %w", err)
	}
	return p, nil
}

// Global is a name of Python's that a pickle mentions.
type Global struct{ Module, Name string }

// String is the name with its module.
func (g Global) String() string { return g.Module + "." + g.Name }

// mark is where a tuple, list or call begins on the stack.
type mark struct{}

// KindOf names the type of a pickle's value in errors.
func KindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case Tuple:
		return "a tuple"
	case *List:
		return "a list"
	case *Dict:
		return "a dict"
	case *Set:
		return "a set"
	case Global:
		return v.String()
	case *Record:
		if name, _ := v.scalarType(); name != "" {
			return "a scalar of numpy's, of type " + name
		}
		return "a record of " + v.Class
	case Bytes:
		return "bytes"
	case *storage:
		return "a storage"
	case *Tensor:
		return "a tensor"
	case mark:
		return "a mark"
	}
	switch v.(type) {
	case int64, *big.Int:
		return "an integer"
	case float64:
		return "a float"
	}
	return fmt.Sprintf("a %T", v)
}
