package kernel

import "github.com/clipcap-go/clipcap/internal/half"

// AttentionCachedRounded is AttentionCached on keys and values that CacheRowsRounded rounded: half the memory to read. Queries and all
// arithmetic are float32.
func AttentionCachedRounded(out, q Matrix, cacheK, cacheV RoundedMatrix, heads int, scale float32, table []int32, tableStride int, lens []int32) {
	j := cachedJobs.get()
	j.roundedK, j.roundedV = cacheK, cacheV
	j.rounded = true
	j.run(out, q, heads, scale, table, tableStride, lens)
}

// CacheRowsRounded rounds the rows of k and v into the rows slots of cacheK and cacheV, all different.
func CacheRowsRounded(cacheK, cacheV RoundedMatrix, k, v Matrix, slots []int32) {
	j := cachedRows.get()
	j.from, j.toRounded, j.slots, j.rounded = [2]Matrix{k, v}, [2]RoundedMatrix{cacheK, cacheV}, slots[:k.Rows], true
	j.run()
}

// roundRow is dst = src, rounded.
func roundRow(dst []uint16, src []float32) {
	half.NarrowBF16(dst, src)
}

// attnListScoresRounded is attnListScores on rounded keys.
func attnListScoresRounded(s, q []float32, k []uint16, list []int32, stride int) {
	if attnListScoresRoundedArch(s[:roundUp(len(list), 4)], q, k, list, stride) {
		return
	}
	for i, row := range list {
		at := int(row) * stride
		sum := float32(0)
		for d, h := range k[at : at+len(q)] {
			sum += f32OfBF16(h) * q[d]
		}
		s[i] = sum
	}
}

// attnListMixRounded is attnListMix on rounded values.
func attnListMixRounded(out, p []float32, v []uint16, list []int32, stride int, factor float32) {
	if attnListMixRoundedArch(out, p, v, list, stride, factor) {
		return
	}
	clear(out)
	for i, row := range list {
		at := int(row) * stride
		for d, h := range v[at : at+len(out)] {
			out[d] += p[i] * f32OfBF16(h)
		}
	}
	for d := range out {
		out[d] *= factor
	}
}
