package jpeg

// Constants of the transform, in 13-bit fixed point.
const (
	fix0298 = 2446
	fix0390 = 3196
	fix0541 = 4433
	fix0765 = 6270
	fix0899 = 7373
	fix1175 = 9633
	fix1501 = 12299
	fix1847 = 15137
	fix1961 = 16069
	fix2053 = 16819
	fix2562 = 20995
	fix3072 = 25172
)

const (
	fixBits  = 13
	passBits = 2 // more precision between the passes
)

// eight is the one-dimensional transform of x, times 2^(fixBits+½·3), as sums and differences of its even and odd half.
func eight(x0, x1, x2, x3, x4, x5, x6, x7 int32) (e0, e1, e2, e3, o0, o1, o2, o3 int32) {
	z := (x2 + x6) * fix0541
	t2, t3 := z-x6*fix1847, z+x2*fix0765
	t0, t1 := (x0+x4)<<fixBits, (x0-x4)<<fixBits
	e0, e3, e1, e2 = t0+t3, t0-t3, t1+t2, t1-t2

	z1, z2, z3, z4 := x7+x1, x5+x3, x7+x3, x5+x1
	z5 := (z3 + z4) * fix1175
	z1, z2 = -z1*fix0899, -z2*fix2562
	z3, z4 = z5-z3*fix1961, z5-z4*fix0390
	o3, o2 = x7*fix0298+z1+z3, x5*fix2053+z2+z4
	o1, o0 = x3*fix3072+z2+z3, x1*fix1501+z1+z4
	return
}

// transformGo is transform in plain Go.
func transformGo(out []byte, stride int, block *[64]int32) {
	const down = fixBits - passBits
	const half = 1 << (down - 1)
	for i := range 8 {
		x := block[i : i+57 : i+57]
		if x[8]|x[16]|x[24]|x[32]|x[40]|x[48]|x[56] == 0 {
			v := x[0] << passBits
			x[0], x[8], x[16], x[24], x[32], x[40], x[48], x[56] = v, v, v, v, v, v, v, v
			continue
		}
		e0, e1, e2, e3, o0, o1, o2, o3 := eight(x[0], x[8], x[16], x[24], x[32], x[40], x[48], x[56])
		x[0], x[56] = (e0+o0+half)>>down, (e0-o0+half)>>down
		x[8], x[48] = (e1+o1+half)>>down, (e1-o1+half)>>down
		x[16], x[40] = (e2+o2+half)>>down, (e2-o2+half)>>down
		x[24], x[32] = (e3+o3+half)>>down, (e3-o3+half)>>down
	}
	const last = fixBits + passBits + 3
	const middle = 1<<(last-1) + 128<<last // samples are around 128
	for i := range 8 {
		x := block[8*i : 8*i+8 : 8*i+8]
		e0, e1, e2, e3, o0, o1, o2, o3 := eight(x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7])
		d := out[i*stride : i*stride+8 : i*stride+8]
		d[0], d[7] = sample((e0+o0+middle)>>last), sample((e0-o0+middle)>>last)
		d[1], d[6] = sample((e1+o1+middle)>>last), sample((e1-o1+middle)>>last)
		d[2], d[5] = sample((e2+o2+middle)>>last), sample((e2-o2+middle)>>last)
		d[3], d[4] = sample((e3+o3+middle)>>last), sample((e3-o3+middle)>>last)
	}
}

// flat writes a block that has nothing but its mean.
func flat(out []byte, stride int, dc int32) {
	v := sample((dc<<passBits+1<<(passBits+2))>>(passBits+3) + 128)
	for i := range 8 {
		d := out[i*stride : i*stride+8 : i*stride+8]
		d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7] = v, v, v, v, v, v, v, v
	}
}

// sample clips to a byte.
func sample(v int32) byte {
	if uint32(v) > 255 {
		return byte(^v >> 31)
	}
	return byte(v)
}
