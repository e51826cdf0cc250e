package nn

import (
	"math"
	"slices"
)

// Top sorts whole rows.
func (*Reference) Top(a *TopArgs) error {
	for i := range a.X.Rows {
		x, y := row(a.X, i), row(a.Out, i)
		logits := make([]float64, a.Embed.Rows)
		order := make([]int, len(logits))
		for w := range logits {
			logits[w], order[w] = float64(a.Scale)*dot(x, row(a.Embed.Tensor, w)), w
		}
		slices.SortStableFunc(order, func(v, w int) int {
			switch {
			case logits[v] > logits[w]:
				return -1
			case logits[v] < logits[w]:
				return 1
			}
			return 0
		})
		top, sum := logits[order[0]], 0.0
		for _, l := range logits {
			sum += math.Exp(l - top)
		}
		for j, w := range order[:a.K] {
			y[j], y[a.K+j] = logits[w], float64(w)
		}
		y[2*a.K] = top + math.Log(sum)
	}
	return nil
}
