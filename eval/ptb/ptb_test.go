package ptb

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

func TestRaw(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{" \t ", ""},
		{"A man can't ride a horse.", "a man ca n't ride a horse ."},
		{"cannot gonna GIMME 'twas 'tis", "can not gon na gim me 't was 't is"},
		{"C++ c# x#", "c++ c# x #"},
		{`say "50% off" (now)`, "say `` 50 % off '' -lrb- now -rrb-"},
		{"[a] {b}", "-lsb- a -rsb- -lcb- b -rcb-"},
		{"don\u2019t we\u2019re \u2018q\u2019 \u201cQ\u201d", "do n't we 're ` q ' `` q ''"},
		{"soft\u00ADhyphen \u00AD", "softhyphen -"},
		{"10 1/2 feet, (555) 123-4567", "10\u00A01/2 feet , -lrb-555-rrb-\u00A0123-4567"},
		{`<a href="x y">b</a>`, "<a\u00A0href=\"x\u00A0y\"> b </a>"},
		{"http://a.b/c?d=1, www.x.org! a@b.co", "http://a.b/c?d=1 , www.x.org ! a@b.co"},
		{"The U.S. The dog", "the u.s. . the dog"},
		{"The U.S. dog", "the u.s. dog"},
		{"plan B. The end", "plan b . the end"},
		{"on 5th Ave. near St. Paul etc.", "on 5th ave. near st. paul etc. ."},
		{"no. 5 no. five", "no. 5 no . five"},
		{"how.are you?i", "how.are you?i"},
		{"a \U0001F600 b \u2764\uFE0F", "a b \u2764"},
		{"wait... what?? no!? ..", "wait ... what ?? no !? . ."},
		{"x--y---z-----", "x -- y -- z -----"},
		{"£5 €6 7¢ ½", "# 5 $ 6 7 cents 1/2"},
		{"\xff\xfe broken utf-8", "broken utf-8"},
		{"&quot;x&quot; &amp; &lt;y&gt; &nbsp;z", "`` x '' & < y > z"},
		{"http://a foo.com/b foo.com/bc www.x.org/{y", "http : / / a foo.com / b foo.com/bc www.x.org/{y"},
		{"^.^ (^.^) =.[^x=~<>]", "^ . ^ -lrb-^.^-rrb- =.[^x=~<>]"},
		{"AT&T., R&B. x", "at&t. , r&b . x"},
		{"a⁄b 1⁄2 a؟b a˂b 1˂2 \u037F ԩ", "a ⁄ b 1⁄2 a ؟ b a˂b 1 ˂2"},
		{"STRASSE ΟΔΟΣ İX", "strasse οδος i\u0307x"},
	} {
		if got := Raw([]string{c.in})[0]; got != c.want {
			t.Errorf("%q\n got %q\nwant %q", c.in, got, c.want)
		}
	}
}

func TestTokenizeDropsPunctuation(t *testing.T) {
	got := Tokenize([]string{`"Hi", he said (twice) -- no?! ... & more.`, "", "?", "a@b\u3000"})
	want := []string{"hi he said -lrb- twice -rrb- no ?! & more", "", "", "a@b"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A rule may look across the line end, so a caption's tokens depend on the next one.
func TestContextCrossesCaptions(t *testing.T) {
	for next, want := range map[string]string{"A man runs": "a plan b", "Man runs": "a plan b."} {
		if got := Tokenize([]string{"a plan B.", next})[0]; got != want {
			t.Errorf("before %q: got %q, want %q", next, got, want)
		}
	}
}

func TestLineSeparatorShiftsLines(t *testing.T) {
	in := []string{"a\u2028b", "c", "d\ne"}
	if got, want := Raw(in), []string{"a", "b", "c"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if r := LineSeparator(in[0]); r != '\u2028' {
		t.Errorf("LineSeparator(%q) = %q", in[0], r)
	}
	if r := LineSeparator(in[2]); r != -1 {
		t.Errorf("LineSeparator(%q) = %q, want none", in[2], r)
	}
}

func TestGoroutinesAgree(t *testing.T) {
	in := []string{"Mr. Smith's dog isn't here; it's 5 o'clock.", "A man in the U.S. on a $5.00 bench", "<b>x</b> (555) 123-4567"}
	want := Raw(in)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if got := Raw(in); !slices.Equal(got, want) {
					t.Errorf("got %q, want %q", got, want)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzRaw(f *testing.F) {
	for _, s := range []string{"", "a", "B.\nA man", "don't 'tis <a b='c'> 1/2", "U.S. The \r\n x", "\xff\u00AD\u2028", "\U0001F600&apos;s", "pty. ltd.", "Jan. "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		// A lexer of its own: a shared one would remember states, and the coverage that the fuzzer goes by would change from run to run.
		got := newLexer().lines(s)
		ends := 1 + strings.Count(s, "\n") + strings.Count(strings.ReplaceAll(s, "\r\n", ""), "\r")
		for _, r := range "\u2028\u2029\u000B\u000C" {
			ends += strings.Count(s, string(r))
		}
		if len(got) > ends {
			t.Fatalf("%q: %d lines, want at most %d", s, len(got), ends)
		}
		for _, line := range got {
			if !utf8.ValidString(line) || strings.ContainsAny(line, "\n\r") {
				t.Fatalf("%q gives the line %q", s, line)
			}
			if strings.Contains(line, "  ") || strings.HasPrefix(line, " ") || strings.HasSuffix(line, " ") {
				t.Fatalf("%q gives the line %q, whose tokens are not single-spaced", s, line)
			}
		}
	})
}

func BenchmarkTokenize(b *testing.B) {
	captions := make([]string, 25000)
	for i := range captions {
		captions[i] = fmt.Sprintf("A man's dog number %d isn't riding the big brown horse near 5th Ave. in the U.S. today.", i)
	}
	size := 0
	for _, c := range captions {
		size += len(c)
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		Tokenize(captions)
	}
}
