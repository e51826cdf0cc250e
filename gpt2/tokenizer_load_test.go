package gpt2

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/bpe"
	"github.com/google/go-cmp/cmp"
)

// tinyVocab is a vocabulary of the 256 bytes and more.
func tinyVocab(t testing.TB, more ...string) string {
	t.Helper()
	ids := map[string]int{}
	for i, b := range bpe.Order {
		ids[bpe.Spell(string([]byte{b}))] = i
	}
	for _, s := range more {
		ids[s] = len(ids)
	}
	text, err := json.Marshal(ids)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestReadTokenizer(t *testing.T) {
	vocab := tinyVocab(t, "ab", "Ġab", EndOfText)
	for _, merges := range []string{"#version: 0.2\na b\nĠ ab\n", "a b\r\nĠ ab"} {
		tok, err := ReadTokenizer(strings.NewReader(vocab), strings.NewReader(merges))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]int32{256, 257, 257}, tok.Encode("ab ab ab")); diff != "" {
			t.Error(diff)
		}
		if tok.EndOfText() != 258 || tok.VocabSize() != 259 {
			t.Errorf("end of text %d of %d tokens, want 258 of 259", tok.EndOfText(), tok.VocabSize())
		}
	}
}

func TestReadTokenizerRefuses(t *testing.T) {
	good := tinyVocab(t, "ab")
	for name, c := range map[string]struct{ vocab, merges, want string }{
		"not JSON":         {"<html>", "", "JSON"},
		"no bytes":         {`{"a":0}`, "", "no token for the byte"},
		"negative id":      {`{"a":-1}`, "", "id -1"},
		"huge id":          {`{"a":1000000000}`, "", "id 1000000000"},
		"id twice":         {`{"a":0,"b":0}`, "", "distinct"},
		"empty token":      {`{"":0}`, "", "distinct"},
		"one token a line": {good, "ab\n", "line 1"},
		"three in a line":  {good, "a b\na b c\n", "line 2"},
		"unknown product":  {good, "b a\n", "not in the vocabulary"},
		"merge twice":      {good, "a b\na b\n", "twice"},
		"not the alphabet": {good, "a \t\n", "stands for no byte"},
		"cut vocabulary":   {good[:len(good)-1], "", "ends too early"},
		"line without end": {good, strings.Repeat("a", 1<<17), "too long"},
		"cut merges":       {manyTokens(t), "a b\n", "1 merges for a vocabulary of 3000 tokens: the file ends too early"},
	} {
		_, err := ReadTokenizer(strings.NewReader(c.vocab), strings.NewReader(c.merges))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

// manyTokens is a vocabulary of 3000 tokens.
func manyTokens(t *testing.T) string {
	t.Helper()
	var ids map[string]int
	if err := json.Unmarshal([]byte(tinyVocab(t, "ab")), &ids); err != nil {
		t.Fatal(err)
	}
	for len(ids) < 3000 {
		ids[fmt.Sprintf("token%d", len(ids))] = len(ids)
	}
	text, err := json.Marshal(ids)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestOpenTokenizer(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenTokenizer(dir); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), dir) {
		t.Errorf("empty folder: error %v, want one that is fs.ErrNotExist and names the folder", err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("encoder.json", tinyVocab(t, "ab"))
	write("vocab.bpe", "#version: 0.2\na b\n")
	if tok, err := OpenTokenizer(dir); err != nil || len(tok.Encode("ab")) != 1 {
		t.Errorf("OpenAI's names: %v", err)
	}
	write("vocab.json", "{")
	write("merges.txt", "")
	if _, err := OpenTokenizer(dir); err == nil || !strings.Contains(err.Error(), "vocab.json") {
		t.Errorf("broken vocab.json: error %v, want one that names the file", err)
	}
}

func FuzzReadTokenizer(f *testing.F) {
	vocab := tinyVocab(f, "ab", "Ġab", "aa")
	f.Add(vocab, "#version: 0.2\na b\nĠ ab\n")
	f.Add(vocab, "a b\n\n\r\na a")
	f.Add(`{"a":0}`, "a a")
	f.Fuzz(func(t *testing.T, vocab, merges string) {
		tok, err := ReadTokenizer(strings.NewReader(vocab), strings.NewReader(merges))
		if err != nil {
			return
		}
		const text = "ab aab \xff"
		if b, err := tok.AppendDecode(nil, tok.Encode(text)); err != nil || string(b) != text {
			t.Fatalf("Encode(%q) comes back as %q, %v", text, b, err)
		}
	})
}
