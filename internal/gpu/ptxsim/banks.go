package ptxsim

import (
	"fmt"
	"slices"
)

// Passes are how often an instruction went through shared memory, and how often it would have had to with every bank
// asked for one word at a time.
type Passes struct{ Taken, Least int }

// Banks counts passes through shared memory, which has 32 banks of 4 bytes: words of one bank take turns, a word that several
// lanes read goes to all of them at once. Accesses of 8 bytes are made by halves of a warp, those of 16 by quarters, and ldmatrix by matrices.
type Banks map[string]Passes

// Conflicts are the instructions that took more passes than needed, by kernel.
func (b Banks) Conflicts() []string {
	var out []string
	for name, p := range b {
		if p.Taken > p.Least {
			out = append(out, fmt.Sprintf("%s: %d passes for %d", name, p.Taken, p.Least))
		}
	}
	slices.Sort(out)
	return out
}

// count notes one access of n bytes by each of lanes, at the addresses that at gives.
func (w *warp) count(in *instr, lanes uint32, n int, at func(lane int) uint64) {
	b := w.block.dev.Banks
	if b == nil || lanes == 0 {
		return
	}
	share := 32 // lanes of a pass
	if n > 4 {
		share = 32 * 4 / n
	}
	key := w.block.k.Name + ": " + in.text
	p := b[key]
	for first := 0; first < 32; first += share {
		var words [32][]uint64 // by bank
		any := false
		for l := first; l < first+share; l++ {
			if lanes>>l&1 == 0 {
				continue
			}
			any = true
			for x := at(l) / 4; x <= (at(l)+uint64(n)-1)/4; x++ {
				if s := &words[x%32]; !slices.Contains(*s, x) {
					*s = append(*s, x)
				}
			}
		}
		if !any {
			continue
		}
		most := 0
		for _, s := range words {
			most = max(most, len(s))
		}
		p.Least++
		p.Taken += most
	}
	b[key] = p
}
