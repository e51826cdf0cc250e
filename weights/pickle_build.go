package weights

import (
	"errors"
	"fmt"
	"slices"
)

// collection builds tuples, lists, dicts and sets.
func (u *unpickler) collection(op byte) error {
	switch op {
	case opMark:
		u.push(mark{})
	case opEmptyTuple:
		u.push(Tuple{})
	case opEmptyList:
		u.push(&List{})
	case opEmptyDict:
		u.push(&Dict{})
	case opEmptySet:
		u.push(&Set{})
	case opTuple:
		items, err := u.popMark()
		u.push(Tuple(items))
		return err
	case opTuple1, opTuple2, opTuple3:
		return u.tuple(int(op) - opTuple1 + 1)
	default:
		return u.extend(op)
	}
	return nil
}

func (u *unpickler) tuple(n int) error {
	items := make(Tuple, n)
	for i := n - 1; i >= 0; i-- {
		v, err := u.pop()
		if err != nil {
			return err
		}
		items[i] = v
	}
	u.push(items)
	return nil
}

// extend adds items to the collection below them.
func (u *unpickler) extend(op byte) error {
	var items []any
	var err error
	switch op {
	case opAppend, opSetItem:
		n := 1
		if op == opSetItem {
			n = 2
		}
		if err = u.tuple(n); err == nil {
			items = u.stack[len(u.stack)-1].(Tuple)
			u.stack = u.stack[:len(u.stack)-1]
		}
	default:
		items, err = u.popMark()
	}
	if err != nil {
		return err
	}
	if len(u.stack) == 0 {
		return errStack
	}
	switch to := u.stack[len(u.stack)-1].(type) {
	case *List:
		if op == opAppend || op == opAppends {
			to.Items = append(to.Items, items...)
			return nil
		}
	case *Set:
		if op == opAddItems {
			to.Items = append(to.Items, items...)
			return nil
		}
	case *Dict:
		if op == opSetItem || op == opSetItems {
			return to.set(items)
		}
	}
	return fmt.Errorf("items for %s", KindOf(u.stack[len(u.stack)-1]))
}

// set adds keys and values that come in turn.
func (d *Dict) set(items []any) error {
	if len(items)%2 != 0 {
		return errors.New("a dict key without a value")
	}
	if d.Entries == nil {
		d.Entries = make([]Entry, 0, len(items)/2)
	}
	for pair := range slices.Chunk(items, 2) {
		d.Entries = append(d.Entries, Entry{pair[0], pair[1]})
	}
	return nil
}

// objects runs the instructions that a full unpickler would run code for.
func (u *unpickler) objects(op byte) error {
	switch op {
	case opGlobal:
		module, err := u.line()
		if err != nil {
			return err
		}
		name, err := u.line()
		if err != nil {
			return err
		}
		return u.global(module, name)
	case opStackGlobal:
		if err := u.tuple(2); err != nil {
			return err
		}
		pair := u.stack[len(u.stack)-1].(Tuple)
		u.stack = u.stack[:len(u.stack)-1]
		module, ok1 := pair[0].(string)
		name, ok2 := pair[1].(string)
		if !ok1 || !ok2 {
			return fmt.Errorf("a global named by %s and %s", KindOf(pair[0]), KindOf(pair[1]))
		}
		return u.global(module, name)
	case opBinPersID:
		id, err := u.pop()
		if err != nil {
			return err
		}
		if u.persistent == nil {
			return errors.New("a reference to something outside the pickle")
		}
		v, err := u.persistent(id)
		u.push(v)
		return err
	}
	if err := u.tuple(2); err != nil { // what to apply to, and its arguments or state
		return err
	}
	pair := u.stack[len(u.stack)-1].(Tuple)
	u.stack = u.stack[:len(u.stack)-1]
	if op == opBuild {
		u.push(pair[0])
		return build(pair[0], pair[1])
	}
	args, ok := pair[1].(Tuple)
	if !ok {
		return fmt.Errorf("arguments are %s, want a tuple", KindOf(pair[1]))
	}
	g, ok := pair[0].(Global)
	if !ok {
		return fmt.Errorf("a call of %s", KindOf(pair[0]))
	}
	var v any
	var err error
	if op == opNewObj {
		v, err = newObject(g, args)
	} else {
		v, err = u.call(g, args)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", g, err)
	}
	u.push(v)
	return nil
}

// build gives a state to an object.
func build(to, state any) error {
	switch to := to.(type) {
	case *Record:
		to.State = state
		return nil
	case *Dict: // an OrderedDict's attributes: PyTorch's _metadata, which says nothing about the numbers
		return nil
	}
	return fmt.Errorf("a state for %s", KindOf(to))
}
