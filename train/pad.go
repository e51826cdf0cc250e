package train

import (
	"math/bits"

	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/nn"
)

// pads tells whether batches are filled up to a few sizes on a backend: a GPU replays a step of sizes it has met before with one call. What is
// filled in belongs to no caption, so loss and gradients are those of the batch.
var pads = nn.Replays

// quantum is the number whose multiples rows are filled up to: about a thirtieth of them, so that a fiftieth of the work is wasted and a
// run's batches, whose rows spread by some percent, come in few sizes.
func quantum(rows int) int { return max(64, 1<<bits.Len(uint(max(1, rows)-1))/32) }

// padded is the room that batches of a size need when they are filled up.
func padded(room data.Size) data.Size {
	q := quantum(room.Rows)
	return data.Size{Images: (room.Images + 15) / 16 * 16, Rows: (room.Rows + q - 1) / q * q, Sequences: room.Sequences + 1, Targets: room.Targets + q + q/4}
}

// pad sets p to b filled up for a network with room for so many sequences: with images of zeros, with empty sequences, of which the last
// takes the rows without a token, and with targets that are ignored, as many as leave few differences between rows and targets.
func pad(p, b *data.Batch, sequences, feature int) {
	rows := len(b.IDs)
	q := quantum(rows)
	more := (rows+q-1)/q*q - rows
	images := (b.Images + 15) / 16 * 16
	p.Images = images
	p.Features = append(append(p.Features[:0], b.Features...), make([]float32, (images-b.Images)*feature)...)
	fill := func(dst, src []int32, n int, x int32) []int32 {
		dst = append(dst[:0], src...)
		for range n {
			dst = append(dst, x)
		}
		return dst
	}
	p.IDs = fill(p.IDs, b.IDs, more, -1)
	p.Positions = fill(p.Positions, b.Positions, more, 0)
	p.Prefix = fill(p.Prefix, b.Prefix, more, -1)
	if d := rows - len(b.Targets); d > 0 {
		more += d % (q / 4)
	}
	p.From = fill(p.From, b.From, more, int32(len(p.IDs)-1))
	p.Targets = fill(p.Targets, b.Targets, more, -1)
	have := len(b.Starts) - 1
	p.Starts = fill(p.Starts, b.Starts, sequences-have, int32(rows))
	p.Starts[sequences] = int32(len(p.IDs))
	if len(b.Parents) > 0 {
		p.Parents = fill(p.Parents, b.Parents, sequences-have, -1)
	}
}
