package weights

import "fmt"

// remember runs the memo's instructions.
func (u *unpickler) remember(op byte) error {
	var i uint32
	var err error
	switch op {
	case opBinPut, opBinGet:
		var b byte
		b, err = u.byte()
		i = uint32(b)
	case opLongBinPut, opLongBinGet:
		i, err = u.u32()
	case opMemoize:
		i = uint32(len(u.memo) + len(u.sparse))
	}
	if err != nil {
		return err
	}
	if op == opBinGet || op == opLongBinGet {
		return u.recall(i)
	}
	if len(u.stack) == 0 {
		return errStack
	}
	v := u.stack[len(u.stack)-1]
	switch {
	case int64(i) < int64(len(u.memo)):
		u.memo[i] = v
		delete(u.sparse, i)
	case int64(i)-int64(len(u.memo)) < sparseMemoBase && int64(i) < 2*u.at: // an instruction is two bytes at least
		for int64(i) > int64(len(u.memo)) {
			u.memo = append(u.memo, unset{})
		}
		u.memo = append(u.memo, v)
		delete(u.sparse, i)
	default:
		if u.sparse == nil {
			u.sparse = map[uint32]any{}
		}
		u.sparse[i] = v
	}
	return nil
}

// unset is a slot of the memo that nothing was put into.
type unset struct{}

func (u *unpickler) recall(i uint32) error {
	v, ok := u.sparse[i]
	if !ok && int64(i) < int64(len(u.memo)) {
		v = u.memo[i]
		_, hole := v.(unset)
		ok = !hole
	}
	if !ok {
		return fmt.Errorf("memo %d was never set", i)
	}
	u.push(v)
	return nil
}
