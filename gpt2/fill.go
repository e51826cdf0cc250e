package gpt2

import "github.com/clipcap-go/clipcap/nn"

// fills tells whether steps are filled up to a few sizes on a backend: a GPU replays a step of sizes it has met before with one call.
var fills = nn.Replays

// spare is how many cache rows there are for the rows that are filled in; nobody looks at them.
const spare = 32

// filled is the size that n rows are filled up to. A product of up to eight rows reads its weights once, so they do not become more.
func filled(n int) int {
	if n <= 8 {
		return 8
	}
	return (n + spare - 1) / spare * spare
}

// fillUp adds rows that hold no token, see no other row and end no sequence, and heads that nobody reads.
func (d *Decoder) fillUp() {
	b := &d.batch
	rows, n := len(b.ids), filled(len(b.ids))
	longest := d.longest + d.options.MaxTokens
	for i := rows; i < n; i++ {
		b.ids, b.index = append(b.ids, -1), append(b.index, -1)
		b.places, b.lens = append(b.places, 0), append(b.lens, 0)
		b.slots = append(b.slots, int32(d.slots+i-rows))
		for range longest {
			b.table = append(b.table, 0)
		}
	}
	for n = filled(len(b.last)); len(b.last) < n; {
		b.last = append(b.last, int32(len(b.ids)-1))
	}
}
