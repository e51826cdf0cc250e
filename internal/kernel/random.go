package kernel

// Dropout draws from a counter: whether an element stays is a function of a key and the element's number
// alone, so masks need not be stored, a resumed run draws the same ones, and any device can.

// DropoutKey is the key for one run (seed, step) of one place (site) in a network. It is the
// SplitMix64 finaliser applied to each in turn.
func DropoutKey(seed, step uint64, site uint32) uint64 {
	return splitMix(splitMix(splitMix(seed)^step) ^ uint64(site))
}

func splitMix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// dropoutHash is 32 random bits for element number i. Its high word is folded into the key, so that over a
// run of 2³² elements only 32-bit arithmetic is left for the vector forms.
func dropoutHash(key, i uint64) uint32 {
	k0, k1 := dropoutWords(key, uint32(i>>32))
	x := uint32(i) ^ k0
	x ^= x >> 16
	x *= 0x7feb352d
	x += k1
	x ^= x >> 15
	x *= 0x846ca68b
	return x ^ x>>16
}

// dropoutWords are the two words dropoutHash mixes in for elements with the given high word.
func dropoutWords(key uint64, high uint32) (k0, k1 uint32) {
	if high != 0 {
		key = splitMix(key ^ uint64(high))
	}
	return uint32(key), uint32(key >> 32)
}

// dropoutThreshold is the smallest hash that keeps an element when p of them are to go.
func dropoutThreshold(p float32) uint32 { return uint32(float64(p) * (1 << 32)) }

// DropoutKeep tells whether element i stays when a share p of all is removed.
func DropoutKeep(key, i uint64, p float32) bool { return dropoutHash(key, i) >= dropoutThreshold(p) }

// AttentionElement numbers the attention weight of a head between a query row and the key at a position
// (below 65536) among those the query sees. The weights of one query are consecutive.
func AttentionElement(head, query, position int) uint64 {
	return uint64(head)<<48 | uint64(query)<<16 | uint64(position)
}
