package ptb

import (
	"encoding/binary"
	"fmt"
	"regexp/syntax"
	"slices"
	"unicode"
)

// An automaton recognises a union of patterns over UTF-16 units. It is a Thompson NFA (the instructions that regexp/syntax
// compiles each pattern to, end to end) whose subset construction is done lazily: a dfa asks for a transition once and remembers it.
type automaton struct {
	inst  []syntax.Inst
	start []uint32 // first instruction of each pattern
	rule  []int32  // instruction → the pattern it is the match of, or -1
	// Units no pattern tells apart share a class, so that a row of the transition table is short.
	class   [1 << 16]uint16
	example []rune // a unit of each class
}

// compile builds the automaton of the patterns; the index of a pattern is its priority, 0 the highest.
func compile(patterns []string) (*automaton, error) {
	a := new(automaton)
	for i, p := range patterns {
		re, err := syntax.Parse(p, syntax.Perl&^syntax.OneLine|syntax.DotNL)
		if err != nil {
			return nil, fmt.Errorf("pattern %d %q: %w", i, p, err)
		}
		prog, err := syntax.Compile(re.Simplify())
		if err != nil {
			return nil, fmt.Errorf("pattern %d %q: %w", i, p, err)
		}
		base := uint32(len(a.inst))
		a.start = append(a.start, base+uint32(prog.Start))
		for _, in := range prog.Inst {
			match := int32(-1)
			switch in.Op {
			case syntax.InstMatch:
				match = int32(i)
			case syntax.InstEmptyWidth:
				return nil, fmt.Errorf("pattern %d %q: holds an empty-width assertion", i, p)
			case syntax.InstAlt, syntax.InstAltMatch:
				in.Arg += base
			case syntax.InstRune, syntax.InstRune1:
				in = syntax.Inst{Op: syntax.InstRune, Out: in.Out, Rune: ranges(&in)}
			case syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
				in = syntax.Inst{Op: syntax.InstRune, Out: in.Out, Rune: []rune{0, 1<<16 - 1}}
			}
			in.Out += base
			a.inst, a.rule = append(a.inst, in), append(a.rule, match)
		}
	}
	a.classify()
	return a, nil
}

// classify fills class: the line of units is cut wherever an instruction's range begins or ends,
// and pieces that the same instructions match are one class.
func (a *automaton) classify() {
	sets := a.runeSets()
	cut := map[rune]bool{0: true}
	for _, in := range sets {
		for i := 0; i < len(in.Rune); i += 2 {
			cut[in.Rune[i]], cut[in.Rune[i+1]+1] = true, true
		}
	}
	var starts []rune
	for r := range cut {
		if r < 1<<16 {
			starts = append(starts, r)
		}
	}
	slices.Sort(starts)
	known := map[string]uint16{}
	for i, r := range starts {
		signature := make([]byte, len(sets))
		for j, in := range sets {
			if in.MatchRune(r) {
				signature[j] = 1
			}
		}
		c, ok := known[string(signature)]
		if !ok {
			c = uint16(len(known))
			known[string(signature)] = c
			a.example = append(a.example, r)
		}
		end := rune(1 << 16)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		for u := r; u < end; u++ {
			a.class[u] = c
		}
	}
}

// ranges returns the units an instruction matches as pairs of first and last.
func ranges(in *syntax.Inst) []rune {
	if len(in.Rune) > 1 {
		return in.Rune
	}
	r := in.Rune[0]
	if syntax.Flags(in.Arg)&syntax.FoldCase == 0 {
		return []rune{r, r}
	}
	other := unicode.SimpleFold(r) // the compiler folds only letters of exactly two forms
	return []rune{min(r, other), min(r, other), max(r, other), max(r, other)}
}

// runeSets returns one instruction for each distinct set of units in the automaton.
func (a *automaton) runeSets() []*syntax.Inst {
	seen := map[string]bool{}
	var sets []*syntax.Inst
	for i := range a.inst {
		in := &a.inst[i]
		if in.Op == syntax.InstRune {
			if key := string(in.Rune); !seen[key] {
				seen[key] = true
				sets = append(sets, in)
			}
		}
	}
	return sets
}

// maxStates bounds a dfa's memory (about 200 bytes times the classes); it starts afresh when it is reached.
const maxStates = 8192

// A dfa runs an automaton. It belongs to one goroutine at a time, because running it adds to its table.
type dfa struct {
	*automaton
	next   []int32 // [state, class]: the next state, dead, or unknown
	accept []int32 // the pattern of highest priority that ends in a state, or -1
	sets   [][]uint32
	ids    map[string]int32
	mark   []uint32 // closure's visited marks: instruction → round
	round  uint32
}

const (
	unknown int32 = -1
	dead    int32 = -2
	initial int32 = 0
)

func newDFA(a *automaton) *dfa {
	d := &dfa{automaton: a, mark: make([]uint32, len(a.inst))}
	d.reset()
	return d
}

// reset forgets every state but the initial one.
func (d *dfa) reset() {
	d.next, d.accept, d.sets, d.ids = d.next[:0], d.accept[:0], d.sets[:0], map[string]int32{}
	d.round++
	var set []uint32
	for _, pc := range d.start {
		set = d.closure(set, pc)
	}
	d.add(set)
}

// step returns the state after unit u in state s, or dead.
func (d *dfa) step(s int32, u uint16) int32 {
	at := int(s)*len(d.example) + int(d.class[u])
	if to := d.next[at]; to != unknown {
		return to
	}
	r := d.example[d.class[u]]
	d.round++
	var set []uint32
	for _, pc := range d.sets[s] {
		if in := &d.inst[pc]; in.Op == syntax.InstRune && in.MatchRune(r) {
			set = d.closure(set, in.Out)
		}
	}
	if len(set) == 0 {
		d.next[at] = dead
		return dead
	}
	if len(d.sets) >= maxStates {
		d.reset()
		return d.add(set)
	}
	to := d.add(set)
	d.next[at] = to
	return to
}

// add returns the state of a set of instructions, which it makes if there is none.
func (d *dfa) add(set []uint32) int32 {
	slices.Sort(set)
	key := make([]byte, 0, 4*len(set))
	for _, pc := range set {
		key = binary.LittleEndian.AppendUint32(key, pc)
	}
	if id, ok := d.ids[string(key)]; ok {
		return id
	}
	id := int32(len(d.sets))
	d.ids[string(key)] = id
	d.sets = append(d.sets, set)
	match := int32(-1)
	for _, pc := range set {
		if r := d.rule[pc]; r >= 0 && (match < 0 || r < match) {
			match = r
		}
	}
	d.accept = append(d.accept, match)
	for range d.example {
		d.next = append(d.next, unknown)
	}
	return id
}

// closure appends to set the units and matches that pc reaches without reading.
func (d *dfa) closure(set []uint32, pc uint32) []uint32 {
	if d.mark[pc] == d.round {
		return set
	}
	d.mark[pc] = d.round
	switch in := &d.inst[pc]; in.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		return d.closure(d.closure(set, in.Out), in.Arg)
	case syntax.InstCapture, syntax.InstNop:
		return d.closure(set, in.Out)
	case syntax.InstFail:
		return set
	}
	return append(set, pc)
}

// longest returns the pattern that matches the longest prefix of text (the highest priority among equals) and that prefix's length;
// the pattern is -1 if none matches.
func (d *dfa) longest(text []uint16) (pattern int32, length int) {
	pattern = -1
	s := initial
	for i, u := range text {
		if s = d.step(s, u); s == dead {
			break
		}
		if r := d.accept[s]; r >= 0 {
			pattern, length = r, i+1
		}
	}
	return pattern, length
}

// ends appends to at every length of prefix of text that a pattern matches.
func (d *dfa) ends(at []int, text []uint16) []int {
	s := initial
	for i, u := range text {
		if s = d.step(s, u); s == dead {
			break
		}
		if d.accept[s] >= 0 {
			at = append(at, i+1)
		}
	}
	return at
}

// whole reports whether a pattern matches all of text, which is not empty.
func (d *dfa) whole(text []uint16) bool {
	s := initial
	for _, u := range text {
		if s = d.step(s, u); s == dead {
			return false
		}
	}
	return d.accept[s] >= 0
}
