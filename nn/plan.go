package nn

import (
	"fmt"
	"math"
	"slices"

	G "gorgonia.org/gorgonia"
)

// Plan is what a machine's buffers come to.
type Plan struct {
	Steps  int // operations that run
	Values int // results with memory of their own
	Arena  int // numbers in the arena all results share
	Sum    int // numbers if every result had memory of its own
}

// storage is a stretch of the arena and the steps during which it is in use.
type storage struct {
	size       int
	first, end int // from the step that writes it to the last that reads it
	off        int
}

// align is what the offsets of stretches are a multiple of, in numbers: a cache line.
const align = 16

// place gives every result a stretch of one arena: results that are alive at the same time get
// different stretches; a result may take over its input's where the operation allows it and nobody
// reads the input later.
func (m *Machine) place(outputs G.Nodes, o *MachineOptions) error {
	last := map[*Value]int{}
	if o.Params != nil {
		if err := m.schedule(o, last); err != nil {
			return err
		}
	}
	for i := range m.steps {
		for _, v := range m.steps[i].in {
			last[v] = max(last[v], i)
		}
	}
	for _, n := range outputs {
		last[m.values[n]] = math.MaxInt
	}
	home := map[*Value]*storage{} // by value, aliases included
	var all []*storage
	for i := range m.steps {
		s := &m.steps[i]
		for r, v := range s.out {
			if v == nil {
				continue
			}
			end, read := last[v]
			if !read {
				end = i
			}
			st := m.takeOver(s, i, r, home)
			if st == nil {
				st = &storage{size: (max(1, m.room(v)) + align - 1) / align * align, first: i}
				all = append(all, st)
				m.plan.Sum += st.size
			}
			st.end = max(st.end, end)
			home[v] = st
		}
	}
	m.plan.Steps, m.plan.Values = len(m.steps), len(all)
	m.plan.Arena = packArena(all)
	if len(all) == 0 {
		return nil
	}
	var err error
	if m.arena, err = m.backend.Alloc(Float, m.plan.Arena); err != nil {
		return fmt.Errorf("%d bytes for the results of %d operations: %w", 4*m.plan.Arena, len(m.steps), err)
	}
	for v, st := range home {
		v.mem.Buf, v.mem.Off = m.arena, st.off
	}
	return nil
}

// room is how many numbers of the arena a result takes.
func (m *Machine) room(v *Value) int {
	if v.mem.Form != Numbers {
		return m.backend.(betweener).sizeBetween(v.mem.Form, rowsOf(v.shape), v.cols())
	}
	return v.Size()
}

// takeOver is the storage that result r of step i shares with an input, or nil. A leaf's memory is
// nobody's to take; an alias of one has no storage to plan.
func (m *Machine) takeOver(s *step, i, r int, home map[*Value]*storage) *storage {
	if s.op == nil || r != 0 {
		return nil
	}
	if s.op.alias {
		if st := home[s.in[0]]; st != nil {
			return st
		}
		return &storage{first: i} // an alias of a leaf: follows it at run time
	}
	if k := s.op.inPlace - 1; k >= 0 {
		st := home[s.in[k]]
		if st != nil && st.size > 0 && st.end == i && s.in[k].Size() == s.out[0].Size() && s.in[k].mem.Form == s.out[0].mem.Form && !slices.Contains(s.in[k+1:], s.in[k]) {
			return st
		}
	}
	return nil
}

// packArena places the stretches, largest first, each at the lowest offset that is free for its whole life, and
// returns the arena's size.
func packArena(all []*storage) int {
	bySize := slices.Clone(all)
	slices.SortStableFunc(bySize, func(a, b *storage) int { return b.size - a.size })
	var placed []*storage // by offset
	size := 0
	for _, s := range bySize {
		off := 0
		for _, p := range placed {
			if p.first > s.end || s.first > p.end {
				continue
			}
			if p.off-off >= s.size {
				break
			}
			off = max(off, p.off+p.size)
		}
		s.off = off
		i, _ := slices.BinarySearchFunc(placed, s, func(a, b *storage) int { return a.off - b.off })
		placed = slices.Insert(placed, i, s)
		size = max(size, off+s.size)
	}
	return size
}
