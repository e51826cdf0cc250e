package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// The gradient of cross-entropy from what was kept in bfloat16, chunk by chunk, against float64. Logits are as large as GPT-2's.
func TestCrossEntropyRounded(t *testing.T) {
	inf := float32(math.Inf(1))
	eachISA(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(2, 2))
		const rows, vocab = 13, 1009
		x, _ := guardedMatrix(r, rows, vocab)
		for i := range rows {
			for j := range vocab {
				x.row(i)[j] = 6*x.row(i)[j] - 100
			}
		}
		for j := range 400 { // the first chunks of row 3 hold nothing finite
			x.row(3)[j] = -inf
		}
		targets := make([]int32, rows)
		at := RoundedRows{Targets: targets, LSE: make([]float32, rows), LogTarget: make([]float32, rows), Scale: make([]float32, rows)}
		for i := range rows {
			targets[i], at.Scale[i] = int32(400+r.IntN(vocab-400)), r.Float32()
		}
		x.row(7)[targets[7]] = 20 // a model that is sure, of what is …
		x.row(8)[450], targets[8] = 20, 451
		targets[5], at.Scale[6] = -1, 0
		for i := range rows {
			at.LogTarget[i] = x.row(i)[max(targets[i], 0)]
		}
		chunks := []int{0, 1, 128, 333, 700, vocab}
		runMax, runSum := make([]float32, rows), make([]float32, rows)
		for i := range runMax {
			runMax[i] = -inf
		}
		var halves []RoundedMatrix
		var tops [][]float32
		var checks []func(*testing.T, string)
		for c := range len(chunks) - 1 {
			logits, free := guardedMatrix(r, rows, chunks[c+1]-chunks[c])
			for i := range rows {
				copy(logits.row(i), x.row(i)[chunks[c]:])
			}
			p, check := guardedRounded(rows, logits.Cols)
			SoftmaxChunkRounded(p, logits, runMax, runSum)
			check(t, "SoftmaxChunkRounded")
			free(t, "SoftmaxChunkRounded")
			halves, tops, checks = append(halves, p), append(tops, slices.Clone(runMax)), append(checks, check)
		}
		for i := range rows {
			_, want := softmax64(x.row(i))
			at.LSE[i] = runMax[i] + float32(math.Log(float64(runSum[i])))
			near(t, "lse", at.LSE[i], want, 1e-6)
		}
		const twoRoundings = 1.0 / 256
		for c, p := range halves {
			first := chunks[c]
			d, check := guardedMatrix(r, rows, p.Cols)
			at.Top = tops[c]
			CrossEntropyRoundedGrad(d, p, &at, int32(first))
			check(t, "CrossEntropyRoundedGrad")
			checks[c](t, "CrossEntropyRoundedGrad")
			again, _ := guardedMatrix(r, rows, p.Cols)
			p.Widen(again)
			for i := range rows {
				for j, got := range d.row(i) {
					want := math.Exp(float64(x.row(i)[first+j]) - float64(at.LSE[i]))
					tolerance := want * twoRoundings * float64(at.Scale[i])
					if int(targets[i]) == first+j {
						want--
						tolerance = 4e-5 * math.Abs(want) // of a logit near 100 in float32
					}
					if want *= float64(at.Scale[i]); math.Abs(float64(got)-want) > tolerance+1e-37 {
						t.Fatalf("row %d, class %d: %g, want %g", i, first+j, got, want)
					}
					if kept := again.row(i)[j]; kept != roundBF16(got) {
						t.Fatalf("row %d, class %d: kept %g of %g", i, first+j, kept, got)
					}
				}
			}
		}
	})
}

// A NaN among the logits reaches the gradient of its row and of no other.
func TestCrossEntropyRoundedKeepsNaN(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		nan, inf := float32(math.NaN()), float32(math.Inf(1))
		logits := Mat([]float32{1, nan, 2, 3}, 2, 2)
		p := RoundedMatrix{V: make([]uint16, 4), Rows: 2, Cols: 2, Stride: 2}
		top, sum := []float32{-inf, -inf}, make([]float32, 2)
		SoftmaxChunkRounded(p, logits, top, sum)
		lse := []float32{top[0] + float32(math.Log(float64(sum[0]))), top[1] + float32(math.Log(float64(sum[1])))}
		d := Mat(make([]float32, 4), 2, 2)
		CrossEntropyRoundedGrad(d, p, &RoundedRows{Top: top, LSE: lse, Targets: []int32{0, 0}, LogTarget: []float32{1, 2}, Scale: []float32{1, 1}}, 0)
		if d.V[1] == d.V[1] || d.V[2] != d.V[2] || d.V[3] != d.V[3] {
			t.Errorf("gradients %v, want NaN in the first row alone", d.V)
		}
	})
}
