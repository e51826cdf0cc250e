package ptb

import (
	"math/rand/v2"
	"regexp"
	"testing"
)

// The automaton's longest match is that of Go's own engine, pattern by pattern, ties to the first.
func TestLongestAgainstRegexp(t *testing.T) {
	patterns := []string{`ab`, `a[bc]*`, `(?:ab|c){2,3}`, `[^a]b?`, `c+|b{2}`, "[a-b\u00E9]+"}
	a, err := compile(patterns)
	if err != nil {
		t.Fatal(err)
	}
	d := newDFA(a)
	var oracle []*regexp.Regexp
	for _, p := range patterns {
		re := regexp.MustCompile(`\A(?:` + p + `)`)
		re.Longest()
		oracle = append(oracle, re)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	alphabet := []rune("abcé")
	for range 5000 {
		runes := make([]rune, rng.IntN(9))
		for i := range runes {
			runes[i] = alphabet[rng.IntN(len(alphabet))]
		}
		want, wantLen := int32(-1), 0
		for i, re := range oracle {
			if at := re.FindStringIndex(string(runes)); at != nil {
				if n := len([]rune(string(runes)[:at[1]])); n > wantLen {
					want, wantLen = int32(i), n
				}
			}
		}
		got, n := d.longest(toUTF16(nil, string(runes)))
		if got != want || n != wantLen {
			t.Fatalf("%q: pattern %d, length %d; want %d, %d", string(runes), got, n, want, wantLen)
		}
	}
}

// Forgetting the states half-way changes nothing.
func TestResetKeepsMeaning(t *testing.T) {
	a, err := compile([]string{`[a-z]+[0-9]`, `[a-z]`})
	if err != nil {
		t.Fatal(err)
	}
	d := newDFA(a)
	text := toUTF16(nil, "abc1")
	for i := range 4 {
		if got, n := d.longest(text); got != 0 || n != 4 {
			t.Fatalf("round %d: pattern %d, length %d", i, got, n)
		}
		d.reset()
	}
}

func TestCompileErrors(t *testing.T) {
	for _, p := range []string{`(`, `\bx`, `^x`} {
		if _, err := compile([]string{p}); err == nil {
			t.Errorf("%q: no error", p)
		}
	}
}

// Every rule must take at least one unit, or the lexer would stand still.
func TestRulesAdvance(t *testing.T) {
	for i, r := range rules {
		re := regexp.MustCompile(`\A(?:` + anyCase(r.body) + `)\z`)
		if re.MatchString("") {
			t.Errorf("rule %d %q matches nothing", i, r.body)
		}
	}
	if last := rules[len(rules)-1]; last.look != "" || !regexp.MustCompile(last.body).MatchString("\n") {
		t.Error("the last rule does not take any unit")
	}
}

func TestAnyCase(t *testing.T) {
	for in, want := range map[string]string{`a[bc]\.D{2}`: `[Aa][bc]\.[Dd]{2}`, `(?:x|1)`: `(?:[Xx]|1)`, `[\]a]b`: `[\]a][Bb]`} {
		if got := anyCase(in); got != want {
			t.Errorf("anyCase(%q) = %q, want %q", in, got, want)
		}
	}
}
