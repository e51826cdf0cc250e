package bpe

import "container/heap"

// candidate is a pair that may be joined: the symbols at left and at the one after it.
type candidate struct {
	rank, left int32
}

// candidates is a heap of pairs, the earliest merge first, then the leftmost.
type candidates []candidate

func (c candidates) Len() int { return len(c) }
func (c candidates) Less(i, j int) bool {
	return c[i].rank < c[j].rank || c[i].rank == c[j].rank && c[i].left < c[j].left
}
func (c candidates) Swap(i, j int) { c[i], c[j] = c[j], c[i] }

// Push appends a candidate, for container/heap.
func (c *candidates) Push(x any) { *c = append(*c, x.(candidate)) }

// Pop removes the last candidate, for container/heap.
func (c *candidates) Pop() any {
	last := (*c)[len(*c)-1]
	*c = (*c)[:len(*c)-1]
	return last
}

// applyLong does what Apply does in n·log(n) steps, so that a megabyte without a space
// (hostile or merely broken input) does not take minutes. The symbols stay where they are,
// linked to their living neighbours; a candidate whose pair has changed since is dropped
// when it comes up.
func (m *Merges) applyLong(word []int32) []int32 {
	n := int32(len(word))
	next, prev := make([]int32, n), make([]int32, n)
	var todo candidates
	for i := range n {
		next[i], prev[i] = i+1, i-1
		if i+1 < n {
			if r := m.rank(word[i], word[i+1]); r != never {
				todo = append(todo, candidate{r, i})
			}
		}
	}
	heap.Init(&todo)
	offer := func(i int32) {
		if r := m.rank(word[i], word[next[i]]); r != never {
			heap.Push(&todo, candidate{r, i})
		}
	}
	const dead = -1
	for len(todo) > 0 {
		c := heap.Pop(&todo).(candidate)
		i := c.left
		if word[i] == dead || next[i] == n || m.rank(word[i], word[next[i]]) != c.rank {
			continue
		}
		j := next[i]
		word[i], word[j] = m.merged[c.rank], dead
		if next[i] = next[j]; next[i] < n {
			prev[next[i]] = i
			offer(i)
		}
		if prev[i] >= 0 {
			offer(prev[i])
		}
	}
	kept := word[:0]
	for _, t := range word {
		if t != dead {
			kept = append(kept, t)
		}
	}
	return kept
}
