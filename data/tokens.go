package data

import "slices"

// tokenList holds token ids end to end, two bytes each where the vocabulary lets them (GPT-2's does): COCO's captions are 7 million.
type tokenList struct {
	narrow []uint16
	wide   []int32 // in its place for vocabularies above 2^16
}

// makeTokenList is an empty list for ids below vocab.
func makeTokenList(vocab int) tokenList {
	if vocab > 1<<16 {
		return tokenList{wide: []int32{}}
	}
	return tokenList{}
}

func (l *tokenList) len() int { return len(l.narrow) + len(l.wide) }

// add appends ids, all of them below the vocabulary's size.
func (l *tokenList) add(ids []int32) {
	if l.wide != nil {
		l.wide = append(l.wide, ids...)
		return
	}
	if n := len(l.narrow) + len(ids); n > cap(l.narrow) {
		l.narrow = slices.Grow(l.narrow, max(len(ids), n/4, 1<<10)) // while it is copied, it is there twice
	}
	for _, id := range ids {
		l.narrow = append(l.narrow, uint16(id))
	}
}

// read appends ids from to to to dst.
func (l *tokenList) read(dst []int32, from, to uint32) []int32 {
	if l.wide != nil {
		return append(dst, l.wide[from:to]...)
	}
	for _, id := range l.narrow[from:to] {
		dst = append(dst, int32(id))
	}
	return dst
}

// move copies n ids from place from down to place to.
func (l *tokenList) move(to, from, n int) {
	if l.wide != nil {
		copy(l.wide[to:to+n], l.wide[from:])
		return
	}
	copy(l.narrow[to:to+n], l.narrow[from:])
}

// cut drops what lies behind the first n ids, and memory for more.
func (l *tokenList) cut(n int) {
	if l.wide != nil {
		l.wide = slices.Clip(l.wide[:n])
		return
	}
	l.narrow = slices.Clip(l.narrow[:n])
}
