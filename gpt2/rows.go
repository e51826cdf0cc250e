package gpt2

// rowPool says which rows of the cache are taken, and how many beams see each. The row taken next is the one given
// back last, so that memory that was never needed is never touched.
type rowPool struct {
	users []int32
	free  []int32
}

// reset gives all n rows back.
func (p *rowPool) reset(n int) {
	if len(p.users) != n {
		p.users, p.free = make([]int32, n), make([]int32, n)
	}
	clear(p.users)
	p.free = p.free[:n]
	for i := range p.free {
		p.free[i] = int32(n - 1 - i)
	}
}

// take is a row with one user.
func (p *rowPool) take() int32 {
	row := p.free[len(p.free)-1]
	p.free = p.free[:len(p.free)-1]
	p.users[row] = 1
	return row
}

// share counts another user of each row.
func (p *rowPool) share(rows []int32) {
	for _, r := range rows {
		p.users[r]++
	}
}

// give counts one user of each row less.
func (p *rowPool) give(rows []int32) {
	for _, r := range rows {
		if p.users[r]--; p.users[r] == 0 {
			p.free = append(p.free, r)
		}
	}
}
