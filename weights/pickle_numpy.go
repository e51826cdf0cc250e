package weights

import (
	"slices"
	"strconv"
	"strings"
)

// scalarType is the type that a record of numpy's scalars names, such as i8, and whether its first byte is the most significant.
func (r *Record) scalarType() (name string, big bool) {
	if !strings.HasSuffix(r.Class, ".multiarray.scalar") || len(r.Args) != 2 {
		return "", false
	}
	dtype, ok := r.Args[0].(*Record)
	if !ok || dtype.Class != "numpy.dtype" || len(dtype.Args) == 0 {
		return "", false
	}
	name, _ = dtype.Args[0].(string)
	state, _ := dtype.State.(Tuple) // (version, byte order, …)
	return name, len(state) > 1 && state[1] == ">"
}

// Integer is the number that a record holds which is an integer of numpy's, and whether it is one that an int64 can be.
func (r *Record) Integer() (int64, bool) {
	name, big := r.scalarType()
	if name == "" || name[0] != 'i' && name[0] != 'u' {
		return 0, false
	}
	size, err := strconv.Atoi(name[1:])
	if err != nil || size != 1 && size != 2 && size != 4 && size != 8 {
		return 0, false
	}
	b, ok := r.Args[1].(Bytes)
	if !ok || b.Len() != int64(size) {
		return 0, false
	}
	text, err := b.Read(8)
	if err != nil {
		return 0, false
	}
	var x uint64
	if !big {
		slices.Reverse(text)
	}
	for _, c := range text {
		x = x<<8 | uint64(c)
	}
	if name[0] == 'u' {
		return int64(x), x < 1<<63
	}
	shift := 64 - 8*size
	return int64(x<<shift) >> shift, true
}
