package ptb

import (
	"fmt"
	"strings"
	"sync"
	"unicode/utf16"
)

// A grammar is the rule table compiled: one automaton for the choice of the rule, and for a rule with a look-ahead two more
// to find where the token ends.
type grammar struct {
	all        *automaton
	body, look []*automaton // nil where the rule has no look-ahead
}

// compileRules is called once; the rules are constants, so an error is a mistake in the table, which every test would meet.
var compileRules = sync.OnceValue(func() *grammar {
	g := &grammar{body: make([]*automaton, len(rules)), look: make([]*automaton, len(rules))}
	must := func(patterns ...string) *automaton {
		a, err := compile(patterns)
		if err != nil {
			panic(fmt.Sprintf("ptb: %v", err))
		}
		return a
	}
	var total []string
	for i, r := range rules {
		body, look := anyCase(r.body), anyCase(r.look)
		total = append(total, "(?:"+body+")(?:"+look+")")
		if look != "" {
			g.body[i], g.look[i] = must(body), must(look)
		}
	}
	g.all = must(total...)
	return g
})

// anyCase lets each ASCII letter outside brackets match in either case.
func anyCase(pattern string) string {
	var out strings.Builder
	bracket := false
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '\\':
			out.WriteByte(c)
			i++
			c = pattern[i]
		case c == '[' && !bracket:
			bracket = true
		case c == ']' && bracket:
			bracket = false
		case !bracket && ('a' <= c|0x20 && c|0x20 <= 'z'):
			out.WriteByte('[')
			out.WriteByte(c &^ 0x20)
			out.WriteByte(c | 0x20)
			c = ']'
		}
		out.WriteByte(c)
	}
	return out.String()
}

// A lexer runs the grammar. It may be used again, by one goroutine at a time.
type lexer struct {
	all        *dfa
	body, look []*dfa
	at         []int
	units      []uint16
}

var lexers = sync.Pool{New: func() any { return newLexer() }}

func newLexer() *lexer {
	g := compileRules()
	x := &lexer{all: newDFA(g.all), body: make([]*dfa, len(rules)), look: make([]*dfa, len(rules))}
	for i := range rules {
		if g.look[i] != nil {
			x.body[i], x.look[i] = newDFA(g.body[i]), newDFA(g.look[i])
		}
	}
	return x
}

// lex calls emit with the text of each token of the stream; a line end is the token "\n".
func (x *lexer) lex(stream string, emit func(token string)) {
	x.units = toUTF16(x.units[:0], stream)
	for rest := x.units; len(rest) > 0; {
		id, total := x.all.longest(rest)
		r := &rules[id] // the last rule takes any unit, so there is one
		n := total
		if r.look != "" {
			n = x.tokenEnd(int(id), rest[:total])
		}
		n -= r.back
		text := string(utf16.Decode(rest[:n]))
		if r.do != nil {
			text = r.do(text)
		}
		if text != "" {
			emit(text)
		}
		rest = rest[n-r.again:]
	}
}

// tokenEnd returns the length of the token at the head of text, which a rule matched together with its look-ahead:
// the longest token that leaves exactly a look-ahead.
func (x *lexer) tokenEnd(rule int, text []uint16) int {
	x.at = x.body[rule].ends(x.at[:0], text)
	for i := len(x.at) - 1; i >= 0; i-- {
		if n := x.at[i]; n < len(text) && x.look[rule].whole(text[n:]) {
			return n
		}
	}
	return len(text) // not reached: the whole was matched as token and look-ahead
}

// toUTF16 appends the UTF-16 form of s; invalid UTF-8 becomes U+FFFD.
func toUTF16(units []uint16, s string) []uint16 {
	for _, r := range s {
		units = utf16.AppendRune(units, r)
	}
	return units
}
