//go:build !amd64 || noasm

package kernel

// attnHeads is for vectors alone.
type attnHeads struct{ heads, hd, n, ld int }

func (*attnHeads) begin(*cachedJob, int, []int32, []float32, []float32, []float32, []float32) bool {
	return false
}

func (*attnHeads) scores(_, _ int) {}

func (*attnHeads) mix(_, _ int) {}
