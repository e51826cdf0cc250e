package jpeg

import (
	"errors"
	"fmt"
)

// scanPart is one component in a scan.
type scanPart struct {
	*component
	dc, ac *huffman
	quant  *[64]int32
}

// band is what a progressive scan brings: coefficients from to end, the bits high to low.
type band struct{ from, end, high, low int }

// scan reads a scan header and the scan.
func (d *decoder) scan(b []byte) error {
	if len(d.comps) == 0 {
		return errors.New("a scan before the frame")
	}
	if d.scans++; d.scans > maxScans {
		return fmt.Errorf("more than %d scans", maxScans)
	}
	if len(b) < 1 || b[0] < 1 || b[0] > 4 || len(b) != 4+2*int(b[0]) {
		return errors.New("a broken scan header")
	}
	var parts []scanPart
	blocks := 0
	tail := b[1+2*int(b[0]):]
	s := band{int(tail[0]), int(tail[1]), int(tail[2] >> 4), int(tail[2] & 15)}
	if !d.progressive {
		s = band{0, 63, 0, 0}
	}
	for i := range int(b[0]) {
		c := -1
		for j := range d.comps {
			if d.comps[j].id == b[1+2*i] {
				c = j
			}
		}
		tables := b[2+2*i]
		if c < 0 || tables>>4 > 3 || tables&15 > 3 {
			return errors.New("a broken scan header")
		}
		p := scanPart{component: &d.comps[c], dc: &d.dc[tables>>4], ac: &d.ac[tables&15], quant: &d.quant[d.comps[c].table]}
		for _, q := range parts {
			if q.component == p.component {
				return errors.New("a component twice in a scan")
			}
		}
		if !d.haveQuant[p.table] || s.from == 0 && s.high == 0 && !p.dc.there || s.end > 0 && !p.ac.there {
			return errors.New("a scan without its tables")
		}
		d.done[c] = true
		blocks += p.h * p.v
		parts = append(parts, p)
	}
	if s.from > s.end || s.end > 63 || s.low > 13 || s.from == 0 && s.end > 0 && d.progressive || s.from > 0 && len(parts) > 1 || s.high != 0 && s.high != s.low+1 {
		return fmt.Errorf("a scan of coefficients %d to %d, bits %d to %d, of %d components", s.from, s.end, s.high, s.low, len(parts))
	}
	if len(parts) > 1 && blocks > 10 {
		return errors.New("more than ten blocks in a unit")
	}
	return d.units(parts, s)
}

// units goes through the units of a scan: one block of a lone component, else the blocks of all components that cover
// the same pixels.
func (d *decoder) units(parts []scanPart, s band) error {
	wide, high := d.unitsX, d.unitsY
	if len(parts) == 1 {
		wide, high = parts[0].across, parts[0].row
	}
	d.acc, d.n, d.past = 0, 0, 0
	d.reset()
	left := d.restart
	var block [64]int32
	for y := range high {
		for x := range wide {
			if d.restart > 0 && left == 0 {
				if err := d.nextRestart(); err != nil {
					return err
				}
				left = d.restart
			}
			left--
			for i := range parts {
				p := &parts[i]
				if len(parts) == 1 {
					if err := d.block(p, &block, x, y, s); err != nil {
						return err
					}
					continue
				}
				for j := range p.h * p.v {
					if err := d.block(p, &block, x*p.h+j%p.h, y*p.v+j/p.h, s); err != nil {
						return err
					}
				}
			}
		}
	}
	return d.align()
}

// reset starts the predictions anew.
func (d *decoder) reset() {
	for i := range d.comps {
		d.comps[i].dc = 0
	}
	d.runEnd = 0
}

// nextRestart goes on behind the next restart marker.
func (d *decoder) nextRestart() error {
	if err := d.align(); err != nil {
		return err
	}
	m, err := d.marker()
	if err != nil {
		return err
	}
	if m < rst0 || m > rst7 {
		return fmt.Errorf("marker %#x in place of a restart: the data is damaged", m)
	}
	d.reset()
	return nil
}

// block reads one block.
func (d *decoder) block(p *scanPart, block *[64]int32, x, y int, s band) error {
	if d.progressive {
		return d.refineBlock(p, p.coefs[64*(y*p.wide+x):][:64], s)
	}
	last, err := d.sequential(p, block)
	if err != nil {
		return err
	}
	out := p.plane.Pix[8*(y*p.plane.Stride+x):]
	if last == 0 {
		flat(out, p.plane.Stride, block[0])
		block[0] = 0
		return nil
	}
	transform(out, p.plane.Stride, block)
	*block = [64]int32{}
	return nil
}

// sequential reads the coefficients of a block, times their steps, into block, which is zero; it returns the index of
// the last.
func (d *decoder) sequential(p *scanPart, block *[64]int32) (last int, err error) {
	size := d.next(p.dc)
	if size < 0 || size > 15 {
		return 0, errCode
	}
	p.component.dc += d.extended(size)
	block[0] = p.component.dc * p.quant[0]
	ac, q := p.ac, p.quant
	for k := 1; k < 64; k++ {
		if d.n < 16 {
			d.fill()
		}
		if e := ac.quick[d.acc>>(64-lookBits)]; e != 0 {
			k += int(e >> 4 & 15)
			d.skip(int(e & 15))
			if k > 63 {
				return 0, errCode
			}
			at := zigzag[k]
			block[at&63] = e >> 8 * q[at&63]
			last = k
			continue
		}
		symbol := d.next(ac)
		if symbol < 0 {
			return 0, errCode
		}
		run, size := symbol>>4, symbol&15
		if size == 0 {
			if run != 15 {
				break
			}
			k += 15
			continue
		}
		if k += run; k > 63 {
			return 0, errCode
		}
		at := zigzag[k]
		block[at&63] = d.extended(size) * q[at&63]
		last = k
	}
	return last, nil
}
