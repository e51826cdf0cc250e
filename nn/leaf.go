package nn

import "fmt"

// leaf brings a parameter, an input or a state to a backend for one reader.
type leaf struct {
	src    *Value
	at     Value // what operations see
	serial uint64
	host   *hostBuffer // the input's own numbers, where the backend computes on them
}

// borrower is a backend that can read an input's numbers where Set put them.
type borrower interface{ borrows() }

// newLeaf prepares memory for an input; parameters and states have theirs.
func newLeaf(be Backend, src *Value) (*leaf, error) {
	l := &leaf{src: src, at: *src}
	l.at.backend = be
	if _, ok := be.(borrower); ok && src.input != nil {
		l.host = new(hostBuffer)
		l.at.mem.Buf = l.host
	} else if src.input != nil {
		b, err := be.Alloc(src.dtype, max(1, src.Size()))
		if err != nil {
			return nil, fmt.Errorf("input %s %v: %w", src.input.name, src.shape, err)
		}
		l.at.mem.Buf = b
	}
	return l, nil
}

// bind makes the current numbers readable.
func (l *leaf) bind(be Backend) (err error) {
	switch src := l.src; {
	case src.param != nil:
		l.at.mem.Buf, err = be.Parameter(src.param)
	case src.state != nil:
		l.at.mem.Buf, err = src.state.buffer(be)
	case !src.input.set:
		return fmt.Errorf("input %s was not set", src.input.name)
	case l.host != nil:
		l.host.f, l.host.i, l.at.mem.Rows = src.input.floats, src.input.ints, src.mem.Rows
	case l.serial != src.input.serial:
		l.serial, l.at.mem.Rows = src.input.serial, src.mem.Rows
		if src.dtype == Int32 {
			return be.WriteInts(l.at.mem.Buf, 0, src.input.ints)
		}
		return be.Write(l.at.mem.Buf, 0, src.input.floats)
	}
	return err
}

// free gives an input's memory back.
func (l *leaf) free(be Backend) {
	if l.src.input != nil {
		be.Free(l.at.mem.Buf)
	}
}
