package nn

import (
	"math"

	"github.com/clipcap-go/clipcap/internal/kernel"
)

const (
	topRows  = 32   // rows whose logits are held at a time: 6 MiB with GPT-2's vocabulary
	topChunk = 8192 // words looked through in one piece: their logits come from the nearest cache
)

// topScratch is one search under way. As a kernel.Job its pieces are the chunks of the rows, chunk by chunk.
type topScratch struct {
	logits    kernel.Matrix
	memory    []float32
	chunks, k int
	scale     float32
	top, sum  []float32 // of a piece: the greatest logit, and Σ exp(logit - greatest)
	best      []float32 // of a piece: its k greatest
	place     []int32   // and where they are
	winners   []int32   // of a row: which of what its pieces found
}

// Top computes the logits of some rows, looks through chunks of them side by side, and puts what was found together in
// the order of the chunks, so that the result depends neither on the other rows nor on the number of cores.
func (c *CPU) Top(a *TopArgs) error {
	s := c.top.get()
	defer c.top.put(s)
	x, out := matrix(a.X), matrix(a.Out)
	vocab := a.Embed.Rows
	for from := 0; from < x.Rows; from += topRows {
		part := x
		part.Rows = min(topRows, x.Rows-from)
		part.V = x.V[from*x.Stride:]
		s.room(part.Rows, vocab, a.K)
		s.scale = a.Scale
		if c.keeps(a.Embed) {
			embed, err := c.packed(a.Embed, true, 0)
			if err != nil {
				return err
			}
			kernel.Gemm(s.logits, part, embed[0], nil)
		} else {
			kernel.GemmBoth(s.logits, part, matrix(a.Embed.Tensor).T(), c.precision, nil)
		}
		kernel.Run(part.Rows*s.chunks, s)
		for i := range part.Rows {
			s.merge(out.V[(from+i)*out.Stride:][:2*a.K+1], i)
		}
	}
	return nil
}

// room makes s large enough.
func (s *topScratch) room(rows, vocab, k int) {
	if len(s.memory) < rows*vocab {
		s.memory = kernel.Aligned(rows * vocab)
	}
	s.logits = kernel.Mat(s.memory[:rows*vocab], rows, vocab)
	s.chunks, s.k = (vocab+topChunk-1)/topChunk, k
	pieces := rows * s.chunks
	if len(s.top) < pieces {
		s.top, s.sum = make([]float32, pieces), make([]float32, pieces)
	}
	if len(s.best) < pieces*k {
		s.best, s.place = make([]float32, pieces*k), make([]int32, pieces*k)
	}
	if len(s.winners) < k {
		s.winners = make([]int32, k)
	}
}

// Do looks through one chunk of one row.
func (s *topScratch) Do(piece int) {
	row, first := piece/s.chunks, piece%s.chunks*topChunk
	logits := s.logits.V[row*s.logits.Stride:][first:min(first+topChunk, s.logits.Cols)]
	if s.scale != 1 {
		kernel.Scale(logits, logits, s.scale)
	}
	at := s.top[piece : piece+1]
	at[0], s.sum[piece] = float32(math.Inf(-1)), 0
	kernel.SoftmaxChunk(kernel.Matrix{}, kernel.Mat(logits, 1, len(logits)), at, s.sum[piece:piece+1], nil)
	best, place := s.found(piece, len(logits))
	kernel.TopK(logits, len(best), place, best)
	for i := range place {
		place[i] += int32(first)
	}
}

// found is where a piece of n words leaves its greatest.
func (s *topScratch) found(piece, n int) (best []float32, place []int32) {
	at := piece * s.k
	n = min(n, s.k)
	return s.best[at : at+n], s.place[at : at+n]
}

// merge puts the chunks of a row together.
func (s *topScratch) merge(out []float32, row int) {
	pieces := row * s.chunks
	// What the chunks found lies end to end, but for the last chunk, which may have found fewer than k.
	n := (s.chunks-1)*s.k + min(s.k, s.logits.Cols-(s.chunks-1)*topChunk)
	best, place := s.best[pieces*s.k:][:n], s.place[pieces*s.k:][:n]
	kernel.TopK(best, s.k, s.winners[:s.k], out[:s.k])
	for i, at := range s.winners[:s.k] {
		out[s.k+i] = float32(place[at])
	}
	top, sum := math.Inf(-1), 0.0
	for _, t := range s.top[pieces : pieces+s.chunks] {
		top = max(top, float64(t))
	}
	for i := range s.chunks {
		sum += float64(s.sum[pieces+i]) * math.Exp(float64(s.top[pieces+i])-top)
	}
	out[2*s.k] = float32(top + math.Log(sum))
}
