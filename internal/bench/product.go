package main

import (
	"fmt"
	"slices"

	"github.com/clipcap-go/clipcap/internal/kernel"
)

// product returns the function that computes the product q asks for once. Right operands that are
// weights are packed beforehand, as a model keeps them; for layout tn both operands are fresh.
func (q request) product() (func(), error) {
	if !slices.Contains([]string{"nn", "nt", "tn"}, q.Layout) {
		return nil, fmt.Errorf("layout %q: want nn, nt or tn", q.Layout)
	}
	precision, err := kernel.ParsePrecision(q.Precision)
	if err != nil {
		return nil, err
	}
	if q.Rounded != "" {
		return q.rounded()
	}
	c := kernel.Mat(touched(q.M*q.N), q.M, q.N)
	switch q.Layout {
	case "tn":
		a := kernel.Mat(touched(q.K*q.M), q.K, q.M).T()
		b := kernel.Mat(touched(q.K*q.N), q.K, q.N)
		return func() { kernel.GemmBoth(c, a, b, precision, nil) }, nil
	default:
		a := kernel.Mat(touched(q.M*q.K), q.M, q.K)
		w := weight(q.K, q.N, q.Layout == "nt", kernel.FormatFor(precision))
		return func() { kernel.Gemm(c, a, w, nil) }, nil
	}
}

// rounded is product with a bfloat16 left operand or result.
func (q request) rounded() (func(), error) {
	if q.Precision != "bfloat16" || q.Layout == "tn" || q.Rounded != "in" && q.Rounded != "out" {
		return nil, fmt.Errorf("rounded %q for layout %s in %s: want in or out, nn or nt, bfloat16", q.Rounded, q.Layout, q.Precision)
	}
	w := weight(q.K, q.N, q.Layout == "nt", kernel.BF16)
	r := new(kernel.Rounded)
	if q.Rounded == "out" {
		a := kernel.Mat(touched(q.M*q.K), q.M, q.K)
		return func() { kernel.GemmRounded(r, a, w, nil) }, nil
	}
	const depth = 32 // of a product that makes the left operand
	kernel.GemmRounded(r, kernel.Mat(touched(q.M*depth), q.M, depth), weight(depth, q.K, false, kernel.BF16), nil)
	c := kernel.Mat(touched(q.M*q.N), q.M, q.N)
	return func() { kernel.MulRounded(c, r, w, nil) }, nil
}

// weight is a packed right operand [k, n], whose memory form was [n, k] if transposed.
func weight(k, n int, transposed bool, f kernel.Format) *kernel.Packed {
	b := kernel.Mat(touched(k*n), k, n)
	if transposed {
		b = kernel.Mat(b.V, n, k).T()
	}
	w := new(kernel.Packed)
	w.Pack(b, f)
	return w
}

// products are the shapes of GPT-2 small and the mappers: forward, both directions of backward.
var products = []request{
	{M: 1200, K: 768, N: 3072, Layout: "nn"},
	{M: 1200, K: 3072, N: 768, Layout: "nn"},
	{M: 1200, K: 768, N: 2304, Layout: "nn"},
	{M: 2000, K: 768, N: 3072, Layout: "nn"},
	{M: 3200, K: 768, N: 3072, Layout: "nn"},
	{M: 480, K: 768, N: 50257, Layout: "nt"},
	{M: 1200, K: 768, N: 50257, Layout: "nt"},
	{M: 1200, K: 3072, N: 768, Layout: "nt"},
	{M: 1200, K: 768, N: 3072, Layout: "nt"},
	{M: 768, K: 1200, N: 3072, Layout: "tn"},
	{M: 3072, K: 1200, N: 768, Layout: "tn"},
	{M: 768, K: 1200, N: 768, Layout: "tn"},
}

// productRows are the products in every precision against the peak of the units that compute them.
func productRows() []row {
	var all []row
	for _, p := range []kernel.Precision{kernel.Float32, kernel.High, kernel.BFloat16} {
		if p == kernel.High && kernel.FormatFor(p) == kernel.FormatFor(kernel.Float32) {
			continue // the same kernel as float32 on this processor
		}
		for _, q := range products {
			q.Precision = p.String()
			all = append(all, row{"gemm " + q.Precision, dims(q.M, q.K, q.N) + " " + q.Layout, func() contest {
				run, err := q.product()
				if err != nil {
					panic(err) // the list above is wrong
				}
				work := 2 * float64(q.M) * float64(q.K) * float64(q.N)
				return contest{unit: "GFLOP/s", work: work, run: run, limit: peak(kernel.FormatFor(p))}
			}})
		}
	}
	return all
}

// peak is the limit of a product in format f.
func peak(f kernel.Format) limit {
	switch f {
	case kernel.BF16:
		return dotPeak()
	case kernel.BF16x2:
		return dotPeak().over(3)
	case kernel.BF16x3:
		return dotPeak().over(6)
	}
	return fmaPeak()
}

// streamedRows are products with few rows, as decoding makes them: each weight is read once, so the
// limit is reading memory, or with many rows of narrow weights the multiply-adds. Enough weights stand in a ring
// that none is still in a cache.
func streamedRows() []row {
	var all []row
	for _, f := range []kernel.Format{kernel.F32, kernel.BF16W, kernel.Int8} {
		for _, n := range []int{50257, 3072} {
			for _, m := range []int{1, 5, 16} {
				all = append(all, row{"rows " + f.String(), dims(m, 768, n), func() contest { return streamed(m, 768, n, f) }})
			}
		}
	}
	return all
}

func streamed(m, k, n int, f kernel.Format) contest {
	first := weight(k, n, false, f)
	ring := []*kernel.Packed{first}
	for len(ring)*first.Bytes() < 4*streamFloats {
		ring = append(ring, weight(k, n, false, f))
	}
	c, a := kernel.Mat(touched(m*n), m, n), kernel.Mat(touched(m*k), m, k)
	at := 0
	perByte := 2 * float64(m) * float64(k) * float64(n) / float64(first.Bytes())
	return contest{unit: "GB/s", work: float64(first.Bytes()), limit: readMemory(), also: fmaPeak().over(perByte), run: func() {
		kernel.Gemm(c, a, ring[at], nil)
		at = (at + 1) % len(ring)
	}}
}
