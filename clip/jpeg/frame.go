package jpeg

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// frame reads the frame header.
func (d *decoder) frame(b []byte) error {
	if len(d.comps) > 0 {
		return errors.New("a second frame")
	}
	if len(b) < 6 || len(b) != 6+3*int(b[5]) {
		return errors.New("a frame header of wrong length")
	}
	if b[0] != 8 {
		return fmt.Errorf("%d bits a sample, want 8", b[0])
	}
	d.height, d.width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	if d.width == 0 || d.height == 0 {
		return errors.New("an image without size")
	}
	n := int(b[5])
	if n != 1 && n != 3 && n != 4 {
		return fmt.Errorf("%d components, want 1, 3 or 4", n)
	}
	d.hmax, d.vmax = 1, 1
	for i := range n {
		c := component{id: b[6+3*i], h: int(b[7+3*i] >> 4), v: int(b[7+3*i] & 15), table: b[8+3*i]}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.table > 3 {
			return fmt.Errorf("component %d: sampling %d×%d, table %d", i, c.h, c.v, c.table)
		}
		for j := range d.comps {
			if d.comps[j].id == c.id {
				return fmt.Errorf("two components are called %d", c.id)
			}
		}
		if n == 1 {
			c.h, c.v = 1, 1 // a lone component has no ratio to others
		}
		d.hmax, d.vmax = max(d.hmax, c.h), max(d.vmax, c.v)
		d.comps = append(d.comps, c)
	}
	for i, c := range d.comps {
		if d.hmax%c.h != 0 || d.vmax%c.v != 0 {
			return fmt.Errorf("component %d: sampling %d×%d of %d×%d is no whole ratio", i, c.h, c.v, d.hmax, d.vmax)
		}
	}
	return nil
}

// zeroed is v with length n and zeros.
func zeroed[T any](v []T, n int) []T {
	if cap(v) < n {
		return make([]T, n)
	}
	v = v[:n]
	clear(v)
	return v
}

// allocate makes the planes.
func (d *decoder) allocate() {
	d.unitsX, d.unitsY = over(d.width, 8*d.hmax), over(d.height, 8*d.vmax)
	total := 0
	for i := range d.comps {
		total += 64 * d.unitsX * d.comps[i].h * d.unitsY * d.comps[i].v
	}
	m := d.memory
	m.samples = zeroed(m.samples, total)
	if d.progressive {
		m.coefs = zeroed(m.coefs, total)
	}
	at := 0
	for i := range d.comps {
		c := &d.comps[i]
		c.wide, c.high = d.unitsX*c.h, d.unitsY*c.v
		x, y := d.hmax/c.h, d.vmax/c.v
		w, h := over(d.width, x), over(d.height, y)
		c.across, c.row = over(w, 8), over(h, 8)
		end := at + 64*c.wide*c.high
		c.plane = Plane{Pix: m.samples[at:end:end], Stride: 8 * c.wide, Width: w, Height: h, X: x, Y: y}
		if d.progressive {
			c.coefs = m.coefs[at:end:end]
		}
		at = end
	}
}

// over is a/b rounded up.
func over(a, b int) int { return (a + b - 1) / b }

// colors guesses what the components are, as libjpeg does.
func (d *decoder) colors() Colors {
	switch len(d.comps) {
	case 1:
		return Gray
	case 4:
		if d.adobe > 0 {
			return YCCK
		}
		return CMYK
	}
	if d.jfif {
		return YCbCr
	}
	if d.adobe == 0 || d.adobe < 0 && d.comps[0].id == 'R' && d.comps[1].id == 'G' && d.comps[2].id == 'B' {
		return RGB
	}
	return YCbCr
}
