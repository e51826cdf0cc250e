package clip

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/clipcap-go/clipcap/internal/bpe"
	"github.com/clipcap-go/clipcap/internal/testkit"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

type line struct {
	Text, Clean string
	IDs         []int32
}

// golden returns the lines of a golden file of tokens.
func golden(t *testing.T, name string) (all []line) {
	t.Helper()
	f, err := os.Open(testkit.Golden(t, "models/tokens/"+name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var l line
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatalf("%s line %d: %v", name, len(all)+1, err)
		}
		all = append(all, l)
	}
	if len(all) != 1500 || lines.Err() != nil {
		t.Fatalf("%s: %d lines, want 1500: %v", name, len(all), lines.Err())
	}
	return all
}

func published(t *testing.T) *Tokenizer {
	t.Helper()
	tok, err := OpenTokenizer(testkit.Golden(t, "models/tokens/bpe_simple_vocab_16e6.txt.gz"))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestGoldenWithoutFtfy(t *testing.T) {
	tok := published(t)
	for _, g := range golden(t, "clip_noftfy.jsonl") {
		if got := Clean(g.Text); got != g.Clean {
			t.Errorf("Clean(%q) = %q, want %q", g.Text, got, g.Clean)
		}
		if diff := cmp.Diff(g.IDs, tok.appendClean(nil, g.Clean), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("ids of %q: %s", g.Clean, diff)
		}
	}
}

func TestGoldenWithFtfy(t *testing.T) {
	tok := published(t)
	for _, g := range golden(t, "clip_ftfy.jsonl") {
		if diff := cmp.Diff(g.IDs, tok.Encode(g.Text), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("Encode(%q): %s", g.Text, diff)
		}
	}
}

// vocabulary is a list of merges of the published length: those given, then pairs of letters.
func vocabulary(first ...string) string {
	var b strings.Builder
	b.WriteString("#version: 0.2\n")
	seen := map[string]bool{}
	for _, m := range first {
		b.WriteString(m + "\n")
		seen[m] = true
	}
	for n := len(first); n < merges; {
		for i := range 256 * 256 {
			m := bpe.Spell(string([]byte{bpe.Order[255-i/256]})) + " " + bpe.Spell(string([]byte{bpe.Order[i%256]}))
			if !seen[m] {
				b.WriteString(m + "\n")
				if n++; n == merges {
					break
				}
			}
		}
	}
	return b.String()
}

func small(t testing.TB) *Tokenizer {
	t.Helper()
	tok, err := ReadTokenizer(strings.NewReader(vocabulary("c a", "ca t</w>", "d o", "do g</w>")))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestEncode(t *testing.T) {
	tok := small(t)
	a := tok.bytes['a'] + 256
	for text, want := range map[string][]int32{
		"":                        nil,
		"cat":                     {513},
		"  A\tCAT\n":              {a, 513},
		"cat-dog":                 {513, tok.bytes['-'] + 256, 515},
		"cat's":                   {513, tok.bytes['\''], tok.bytes['s'] + 256},
		"12":                      {tok.bytes['1'] + 256, tok.bytes['2'] + 256},
		"<|startoftext|>cat":      {49406, 513},
		"<|ENDOFTEXT|>":           {49407},
		"a cat &amp;amp;lt; dog;": {a, 513, tok.bytes['<'] + 256, 515, tok.bytes[';'] + 256},
	} {
		if diff := cmp.Diff(want, tok.Encode(text), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("Encode(%q): %s", text, diff)
		}
	}
	if tok.VocabSize() != 49408 {
		t.Errorf("VocabSize = %d", tok.VocabSize())
	}
}

func TestAppendRow(t *testing.T) {
	tok := small(t)
	row, err := tok.AppendRow([]int32{9, 1, 1, 1, 1}[:1], "cat dog", 6, false)
	if diff := cmp.Diff([]int32{9, 49406, 513, 515, 49407, 0, 0}, row); diff != "" || err != nil {
		t.Errorf("row: %v %s", err, diff)
	}
	if row, err = tok.AppendRow(nil, "cat dog", 4, false); err != nil || len(row) != 4 {
		t.Errorf("a row just full: %v, %v", row, err)
	}
	if _, err := tok.AppendRow(nil, "cat cat cat", 4, false); err == nil || !strings.Contains(err.Error(), "5 tokens") {
		t.Errorf("text too long: error %v, want one that counts 5 tokens", err)
	}
	row, err = tok.AppendRow(nil, "cat cat cat", 4, true)
	if diff := cmp.Diff([]int32{49406, 513, 513, 49407}, row); diff != "" || err != nil {
		t.Errorf("truncated row: %v %s", err, diff)
	}
	if _, err := tok.AppendRow(nil, "", 1, true); err == nil {
		t.Error("a row of one token was made")
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		" A\u00a0 B\u2003\n":       "a b",
		"\x1c\x1fx\x1cy\x1e":       "x\x1cy",
		"&amp;lt;b&amp;gt;":        "<b>",
		"&amp;amp;lt;":             "&lt;",
		"&notit; &amp &copy2":      "¬it; & ©2",
		"&#39;&#x41;&#X42 &#0; x":  "'ab \ufffd x",
		"&#128;&#129;&#1;&#xfffe;": "€\u0081",
		"&#99999999999999999999;":  "\ufffd",
		"&#;&#x;&;& a&b":           "&#;&#x;&;& a&b",
		"&hellip;&NotEqualTilde;":  "…≂\u0338",
		"ΌΔΟΣ ΣΑΣ. Σ AΣ'B AΣ́":     "όδος σας. σ aσ'b aς́",
		"İI\u0130":                 "i\u0307ii\u0307",
		"ẞ Ǆ K":                    "ß ǆ k",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestFixText(t *testing.T) {
	for in, want := range map[string]string{
		"a dog's bowl":                        "a dog's bowl",
		"“it’s” ‚x‛":                          "\"it's\" 'x'",
		"ﬁne ǅ ĳ ŉ":                           "fine Dž ij 'n",
		"ＡＢ！　ｶﾞ":                              "AB! ガ",
		"e\u0301 \u0958":                      "é \u0915\u093c",
		"\ufeffa\x00b\x7f\u206a":              "ab",
		"a\u0085b\u0092s":                     "a…b's",
		"\x1b[1;31mred\x1b[0m \x1b[":          "red [",
		"it&rsquo;s &amp;amp;quot;":           "it's \"",
		"P&EACUTE;REZ &SZLIG; &nTILDE; &AMP;": "PÉREZ SS &nTILDE; &",
		"a < b &amp; c\n&amp;":                "a < b &amp; c\n&amp;",
		"&amp;\na < b":                        "&\na < b",
		"&amp &notit; &semi; &#150;":          "&amp &notit; ; –",
	} {
		if got := FixText(in); got != want {
			t.Errorf("FixText(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestReadTokenizerRefuses(t *testing.T) {
	good := vocabulary()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte(good))
	z.Close()
	if _, err := ReadTokenizer(bytes.NewReader(packed.Bytes())); err != nil {
		t.Errorf("a gzipped vocabulary: %v", err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"empty":        {"", "want a version and 48894 merges"},
		"short":        {good[:len(good)/2], "merges"},
		"cut gzip":     {packed.String()[:packed.Len()/2], "unexpected EOF"},
		"one token":    {vocabulary("ab"), "line 2"},
		"unknown part": {vocabulary("a b", "xy z"), "line 3"},
		"made twice":   {vocabulary("a b", "b c", "ab c", "a bc"), "already there"},
		"HTML":         {"<!DOCTYPE html>\n<html>\n", "3 lines"},
	} {
		if _, err := ReadTokenizer(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
	path := filepath.Join(t.TempDir(), "vocab.gz")
	if _, err := OpenTokenizer(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("no file: error %v, want one that names it", err)
	}
}

func FuzzEncode(f *testing.F) {
	tok := small(f)
	for _, s := range []string{"", "A cat&amp;rsquo;s <|endoftext|>", "ΣΣ’ﬁ＆＃３９；", "\xff&#x110000;", "'ſ 's\x1b[3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, id := range tok.Encode(text) {
			if id < 0 || int(id) >= tok.VocabSize() {
				t.Fatalf("Encode(%q) has the id %d", text, id)
			}
		}
		if s := FixText(Clean(text)); utf8.ValidString(text) && !utf8.ValidString(s) {
			t.Fatalf("FixText(Clean(%q)) = %q is not UTF-8", text, s)
		}
		row, err := tok.AppendRow(nil, text, ContextLength, true)
		if err != nil || len(row) != ContextLength || row[0] != startToken {
			t.Fatalf("AppendRow(%q) = %v, %v", text, row, err)
		}
	})
}

func FuzzReadTokenizer(f *testing.F) {
	f.Add([]byte("#version\na b\nab c\n"))
	f.Add([]byte{0x1f, 0x8b, 8, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := ReadTokenizer(bytes.NewReader(b)); err == nil && len(b) < merges {
			t.Fatal("a vocabulary without 48,894 merges was accepted")
		}
	})
}

func ExampleClean() {
	fmt.Println(Clean(FixText("  A dog&rsquo;s  “BOWL” &amp;amp; spoon ")))
	// Output: a dog's "bowl" & spoon
}

func BenchmarkTokenizer(b *testing.B) {
	tok := small(b)
	const text = "A man riding a wave on top of a surfboard."
	b.SetBytes(int64(len(text)))
	var row []int32
	for b.Loop() {
		row, _ = tok.AppendRow(row[:0], text, ContextLength, true)
	}
}
