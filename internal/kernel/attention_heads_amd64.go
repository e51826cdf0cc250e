//go:build amd64 && !noasm

package kernel

import "unsafe"

// attnHeads is one row of attention on a cache, for some heads side by side: what a key's place costs is paid once for all of them.
type attnHeads struct {
	q, out       *float32 // [heads][hd]
	k, v         unsafe.Pointer
	list         *int32 // of n rows of k and v
	s, sum       *float32
	heads, hd, n int
	strideK      int // numbers between rows of k, and of v
	strideV      int
	ld           int // numbers between the heads' scores in s, of which there are n
	rounded      bool
}

// begin sets what there is to work on, and tells whether the assembly can.
func (a *attnHeads) begin(j *cachedJob, from int, list []int32, q, out, sum, s []float32) bool {
	if isa < AVX512 || j.hd%16 != 0 {
		return false
	}
	a.q, a.out, a.s, a.sum, a.list = unsafe.SliceData(q), unsafe.SliceData(out), unsafe.SliceData(s), unsafe.SliceData(sum), unsafe.SliceData(list)
	if a.rounded = j.rounded; a.rounded {
		a.k, a.v = unsafe.Pointer(&j.roundedK.V[from]), unsafe.Pointer(&j.roundedV.V[from])
		a.strideK, a.strideV = j.roundedK.Stride, j.roundedV.Stride
	} else {
		a.k, a.v = unsafe.Pointer(&j.k.V[from]), unsafe.Pointer(&j.v.V[from])
		a.strideK, a.strideV = j.k.Stride, j.v.Stride
	}
	return true
}

// scores sets s to the products of q with the listed rows of k, those from k0, a multiple of four, to k1, head by head.
func (a *attnHeads) scores(k0, k1 int) {
	part := *a
	part.list = (*int32)(unsafe.Add(unsafe.Pointer(a.list), 4*k0))
	part.s = (*float32)(unsafe.Add(unsafe.Pointer(a.s), 4*k0))
	part.n = k1 - k0
	if a.rounded {
		attnHeadsScoresRoundedAVX512(&part)
		return
	}
	attnHeadsScoresAVX512(&part)
}

// mix sets out to the listed rows of v times their weights in s, over the sum of those, for the heads from h0 to h1.
func (a *attnHeads) mix(h0, h1 int) {
	part := *a
	part.heads = h1 - h0
	part.s = (*float32)(unsafe.Add(unsafe.Pointer(a.s), 4*h0*a.ld))
	part.sum = (*float32)(unsafe.Add(unsafe.Pointer(a.sum), 4*h0))
	part.out = (*float32)(unsafe.Add(unsafe.Pointer(a.out), 4*h0*a.hd))
	if a.rounded {
		part.v = unsafe.Add(a.v, 2*h0*a.hd)
		attnHeadsMixRoundedAVX512(&part)
		return
	}
	part.v = unsafe.Add(a.v, 4*h0*a.hd)
	attnHeadsMixAVX512(&part)
}

// The assembly; hd is a multiple of 16, and a head's scores are written up to a multiple of four.

//go:noescape
func attnHeadsScoresAVX512(a *attnHeads)

//go:noescape
func attnHeadsScoresRoundedAVX512(a *attnHeads)

//go:noescape
func attnHeadsMixAVX512(a *attnHeads)

//go:noescape
func attnHeadsMixRoundedAVX512(a *attnHeads)
