package gpt2

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/clipcap-go/clipcap/internal/testkit"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func tokenizer(t testing.TB) *Tokenizer {
	t.Helper()
	tok, err := DefaultTokenizer()
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// golden calls f for every line of a golden file.
func golden[T any](t *testing.T, name string, f func(T)) {
	t.Helper()
	file, err := os.Open(testkit.Golden(t, "models/tokens/"+name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	n := 0
	for ; lines.Scan(); n++ {
		var x T
		if err := json.Unmarshal(lines.Bytes(), &x); err != nil {
			t.Fatalf("%s line %d: %v", name, n+1, err)
		}
		f(x)
	}
	if n == 0 || lines.Err() != nil {
		t.Fatalf("%s: %d lines, %v", name, n, lines.Err())
	}
}

type coded struct {
	Text string  `json:"text"`
	IDs  []int32 `json:"ids"`
}

func TestGoldenEncode(t *testing.T) {
	fromFiles, err := OpenTokenizer(testkit.Golden(t, "models/tokens"))
	if err != nil {
		t.Fatal(err)
	}
	for name, tok := range map[string]*Tokenizer{"built in": tokenizer(t), "encoder.json": fromFiles} {
		if tok.VocabSize() != 50257 || tok.EndOfText() != 50256 {
			t.Errorf("%s: %d tokens, end of text %d", name, tok.VocabSize(), tok.EndOfText())
		}
		golden(t, "gpt2.jsonl", func(g coded) {
			ids := tok.Encode(g.Text)
			if diff := cmp.Diff(g.IDs, ids, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: Encode(%q): %s", name, g.Text, diff)
			}
			if text, err := tok.Decode(ids); err != nil || text != g.Text {
				t.Errorf("%s: Decode(Encode(%q)) = %q, %v", name, g.Text, text, err)
			}
		})
	}
	if diff := cmp.Diff(tokenizer(t).tokens, fromFiles.tokens); diff != "" {
		t.Errorf("built-in and encoder.json's tokens differ: %s", diff)
	}
}

func TestGoldenDecode(t *testing.T) {
	tok := tokenizer(t)
	golden(t, "gpt2_decode.jsonl", func(g coded) {
		if text, err := tok.Decode(g.IDs); err != nil || text != g.Text {
			t.Errorf("Decode(%v) = %q, %v, want %q", g.IDs, text, err, g.Text)
		}
	})
}

func split(text string) (words []string) {
	for len(text) > 0 {
		n := wordEnd(text)
		words = append(words, text[:n])
		text = text[n:]
	}
	return words
}

func TestGoldenWords(t *testing.T) {
	type line struct {
		Text  string
		Words []string
	}
	golden(t, "gpt2_words.jsonl", func(g line) {
		if diff := cmp.Diff(g.Words, split(g.Text), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("words of %q: %s", g.Text, diff)
		}
	})
}

func TestEncode(t *testing.T) {
	tok := tokenizer(t)
	for _, c := range []coded{
		{"", nil},
		{".", []int32{13}},
		{" .", []int32{764}},
		{"...", []int32{986}},
		{"!", []int32{0}},
		{" ", []int32{220}},
		{"A couple of people standing next to an elephant.", []int32{32, 3155, 286, 661, 5055, 1306, 284, 281, 20950, 13}},
		{"a motorcycle parked in the desert.", []int32{64, 18757, 19584, 287, 262, 10326, 13}},
		{" \t\n ", []int32{220, 197, 198, 220}},
		{"\n\n\n", []int32{628, 198}},
		{"a\n\n  b", []int32{64, 628, 220, 275}},
	} {
		if diff := cmp.Diff(c.IDs, tok.Encode(c.Text), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("Encode(%q): %s", c.Text, diff)
		}
	}
	if got := tok.Encode(EndOfText); len(got) < 2 {
		t.Errorf("Encode(%q) = %v: the text of the end token must be ordinary", EndOfText, got)
	}
}

func TestSplit(t *testing.T) {
	for text, want := range map[string][]string{
		"we're I'LL":   {"we", "'re", " I", "'", "LL"},
		"''s":          {"''", "s"},
		"it 's":        {"it", " '", "s"},
		"x  1a!":       {"x", " ", " 1", "a", "!"},
		"a \u00a0b":    {"a", " ", "\u00a0", "b"},
		"\u2003\u2003": {"\u2003\u2003"},
		"'":            {"'"},
		"'r":           {"'", "r"},
		"\xff\xfea":    {"\xff\xfe", "a"},
		" ":            {" "},
		"\r\n x":       {"\r\n", " x"},
	} {
		if diff := cmp.Diff(want, split(text)); diff != "" {
			t.Errorf("words of %q: %s", text, diff)
		}
	}
}

func TestDecode(t *testing.T) {
	tok := tokenizer(t)
	for _, ids := range [][]int32{{-1}, {13, 50257}, {1 << 30}} {
		if _, err := tok.Decode(ids); err == nil || !strings.Contains(err.Error(), "vocabulary") {
			t.Errorf("Decode(%v): error %v, want one that names the vocabulary", ids, err)
		}
	}
	if text, err := tok.Decode([]int32{50256}); err != nil || text != EndOfText {
		t.Errorf("Decode(end) = %q, %v", text, err)
	}
}

func TestLossy(t *testing.T) {
	const r = "\ufffd"
	for in, want := range map[string]string{
		"plain":                "plain",
		"\x80\x80":             r + r,
		"\xe2\x82":             r,
		"\xe2\x82a":            r + "a",
		"\xe2\x82\xe2\x82\xac": r + "€",
		"\xf0\x9f\x91":         r,
		"\xf0\x8f\x91":         r + r + r,
		"\xed\xa0\x80":         r + r + r, // a surrogate
		"\xe0\x80\x80":         r + r + r, // overlong
		"\xf4\x90\x80\x80":     r + r + r + r,
		"\xc0\xaf\xfe":         r + r + r,
		"\xc3":                 r,
		"a\ufffdb":             "a\ufffdb",
	} {
		if got := lossy([]byte(in)); got != want {
			t.Errorf("lossy(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCleanUp(t *testing.T) {
	for in, want := range map[string]string{
		"a dog 's bowl .":             "a dog's bowl.",
		"is it ? yes ! no , we 've .": "is it? yes! no, we've.",
		"they do n't know i 'm here":  "they don't know i'm here",
		"rock ' roll":                 "rock'roll",
		" ..":                         "..",
		"":                            "",
		"plain":                       "plain",
		"we 're in a 'small' room  .": "we're in a'small' room .", // the rule for " 's" is that blunt
	} {
		if got := CleanUp(in); got != want {
			t.Errorf("CleanUp(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestEncodeByManyAtOnce(t *testing.T) {
	tok := tokenizer(t)
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 2000 {
				text := fmt.Sprintf("picture %d of a zebra-%d in %dth street", i, i*g, i%7)
				if back, err := tok.Decode(tok.Encode(text)); err != nil || back != text {
					t.Errorf("Decode(Encode(%q)) = %q, %v", text, back, err)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestLongWord(t *testing.T) {
	tok := tokenizer(t)
	text := strings.Repeat("ab", 200_000) // a step per pair and symbol would take minutes
	if back, err := tok.Decode(tok.Encode(text)); err != nil || back != text {
		t.Errorf("a word of %d bytes does not come back: %v", len(text), err)
	}
}

func TestEncodeAllocatesNothing(t *testing.T) {
	tok := tokenizer(t)
	const text = "A man riding a wave on top of a surfboard."
	dst := tok.Encode(text)
	if n := testing.AllocsPerRun(100, func() { dst = tok.AppendEncode(dst[:0], text) }); n != 0 {
		t.Errorf("%v allocations for a caption met before, want none", n)
	}
}

// FuzzEncode holds that the words are the text, that bytes come back, and that lossy text is UTF-8.
func FuzzEncode(f *testing.F) {
	tok := tokenizer(f)
	for _, s := range []string{"", "a man's hat .", "\t\n  x", "é👍\xff\xe2\x82", strings.Repeat("x", 200), "'ll'S\u00a0\u00a0b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got := strings.Join(split(text), ""); got != text {
			t.Fatalf("words of %q join to %q", text, got)
		}
		ids := tok.Encode(text)
		b, err := tok.AppendDecode(nil, ids)
		if err != nil || string(b) != text {
			t.Fatalf("Encode(%q) comes back as %q, %v", text, b, err)
		}
		if s := lossy(b); !utf8.ValidString(s) || utf8.ValidString(text) && s != text {
			t.Fatalf("lossy(%q) = %q", text, s)
		}
	})
}

func Example() {
	tok, err := DefaultTokenizer()
	if err != nil {
		fmt.Println(err)
		return
	}
	ids := tok.Encode("A couple of people standing next to an elephant.")
	text, err := tok.Decode(ids)
	fmt.Println(ids)
	fmt.Println(text, err)
	// Output:
	// [32 3155 286 661 5055 1306 284 281 20950 13]
	// A couple of people standing next to an elephant. <nil>
}

func ExampleCleanUp() {
	fmt.Println(CleanUp("a dog 's bowl , half full ."))
	// Output: a dog's bowl, half full.
}
