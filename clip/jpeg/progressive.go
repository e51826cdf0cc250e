package jpeg

// refineBlock adds what a progressive scan brings to a block's coefficients (T.81, annex G).
func (d *decoder) refineBlock(p *scanPart, coefs []int16, s band) error {
	switch {
	case s.from == 0 && s.high == 0:
		size := d.next(p.dc)
		if size < 0 || size > 15 {
			return errCode
		}
		p.component.dc += d.extended(size)
		coefs[0] = int16(p.component.dc << s.low)
		return nil
	case s.from == 0:
		coefs[0] |= int16(d.take(1) << s.low)
		return nil
	case s.high == 0:
		return d.firstBits(p.ac, coefs, s)
	}
	return d.nextBit(p.ac, coefs, s)
}

// endOfBand reads the length of a run of blocks that bring no more.
func (d *decoder) endOfBand(run int) int { return 1<<run + int(d.take(run)) }

// firstBits reads coefficients for the first time.
func (d *decoder) firstBits(ac *huffman, coefs []int16, s band) error {
	if d.runEnd > 0 {
		d.runEnd--
		return nil
	}
	for k := s.from; k <= s.end; k++ {
		symbol := d.next(ac)
		if symbol < 0 {
			return errCode
		}
		run, size := symbol>>4, symbol&15
		if size == 0 {
			if run == 15 {
				k += 15
				continue
			}
			d.runEnd = d.endOfBand(run) - 1
			return nil
		}
		if k += run; k > 63 {
			return errCode
		}
		coefs[zigzag[k]] = int16(d.extended(size) << s.low)
	}
	return nil
}

// nextBit adds a bit to coefficients, and the first of some.
func (d *decoder) nextBit(ac *huffman, coefs []int16, s band) error {
	k := s.from
	for d.runEnd == 0 && k <= s.end {
		symbol := d.next(ac)
		if symbol < 0 {
			return errCode
		}
		run, size := symbol>>4, symbol&15
		value := int16(0)
		switch {
		case size == 0 && run < 15:
			d.runEnd = d.endOfBand(run)
			continue
		case size > 0: // 1, whatever a damaged file says
			value = int16(-1) << s.low
			if d.take(1) == 1 {
				value = 1 << s.low
			}
		}
		// The run counts coefficients that were zero; others get their bit on the way.
		for ; k <= s.end; k++ {
			c := &coefs[zigzag[k]]
			if *c != 0 {
				d.correct(c, s.low)
				continue
			}
			if run == 0 {
				*c = value
				k++
				break
			}
			run--
		}
	}
	if d.runEnd > 0 {
		for ; k <= s.end; k++ {
			if c := &coefs[zigzag[k]]; *c != 0 {
				d.correct(c, s.low)
			}
		}
		d.runEnd--
	}
	return nil
}

// correct adds the next bit to a coefficient away from zero.
func (d *decoder) correct(c *int16, low int) {
	if d.take(1) == 0 || *c&(1<<low) != 0 { // the second in damaged files only
		return
	}
	if *c > 0 {
		*c += 1 << low
	} else {
		*c -= 1 << low
	}
}

// transformAll makes the planes of a progressive file from its coefficients.
func (d *decoder) transformAll() {
	for i := range d.comps {
		c := &d.comps[i]
		q := &d.quant[c.table]
		for y := range c.high {
			for x := range c.wide {
				coefs := c.coefs[64*(y*c.wide+x):][:64]
				var block [64]int32
				only := true
				for k, v := range coefs {
					block[k] = int32(v) * q[k]
					only = only && (k == 0 || v == 0)
				}
				out := c.plane.Pix[8*(y*c.plane.Stride+x):]
				if only {
					flat(out, c.plane.Stride, block[0])
				} else {
					transform(out, c.plane.Stride, &block)
				}
			}
		}
	}
}
