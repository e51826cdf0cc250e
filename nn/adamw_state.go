package nn

import (
	"fmt"
)

// Close gives the moments' memory back.
func (o *AdamW) Close() error {
	for _, bs := range [...][]Buffer{o.m, o.v, o.sums} {
		for _, b := range bs {
			o.machine.backend.Free(b)
		}
	}
	o.m, o.v, o.sums, o.full = nil, nil, nil, false
	return nil
}

// buffers are zeros for every parameter.
func (o *AdamW) buffers() ([]Buffer, error) {
	bs := make([]Buffer, len(o.params))
	for i, p := range o.params {
		var err error
		if bs[i], err = o.machine.backend.Alloc(Float, len(p.Data)); err != nil {
			for _, b := range bs[:i] {
				o.machine.backend.Free(b)
			}
			return nil, fmt.Errorf("optimizer state of %s: %w", p.Name, err)
		}
	}
	return bs, nil
}

// flat views a buffer's n numbers as one row.
func flat(b Buffer, n int) Tensor { return Tensor{Buf: b, Rows: 1, Cols: n, Stride: n} }

// Moments copies parameter i's moments from the number at on to m and v, as many as they hold; either may be nil. Checkpoints
// take them in pieces, since all the moments of a large parameter would be memory of their own.
func (o *AdamW) Moments(i, at int, m, v []float32) error {
	if err := o.read(m, o.m[i], at); err != nil {
		return err
	}
	return o.read(v, o.v[i], at)
}

// read copies part of a buffer in pieces, since backends give float64.
func (o *AdamW) read(dst []float32, b Buffer, from int) error {
	if from < 0 || len(dst) > b.Len()-from {
		return fmt.Errorf("moments %d to %d of %d", from, from+len(dst), b.Len())
	}
	var wide [1024]float64
	for at := 0; at < len(dst); at += len(wide) {
		part := dst[at:min(at+len(wide), len(dst))]
		if err := o.machine.backend.Read(wide[:len(part)], b, from+at); err != nil {
			return err
		}
		for i := range part {
			part[i] = float32(wide[i])
		}
	}
	return nil
}

// SetMoments is the inverse of Moments.
func (o *AdamW) SetMoments(i, at int, m, v []float32) error {
	if n := o.m[i].Len(); at < 0 || len(m) > n-at || len(v) > n-at {
		return fmt.Errorf("moments of %s: %d and %d numbers from %d on, want %d in all", o.params[i].Name, len(m), len(v), at, n)
	}
	if err := o.machine.backend.Write(o.m[i], at, m); err != nil {
		return err
	}
	return o.machine.backend.Write(o.v[i], at, v)
}

// Fetch brings the parameters' Data up to date.
func (o *AdamW) Fetch() error {
	for _, p := range o.params {
		if err := o.machine.backend.Fetch(p); err != nil {
			return fmt.Errorf("read %s back: %w", p.Name, err)
		}
	}
	return nil
}
