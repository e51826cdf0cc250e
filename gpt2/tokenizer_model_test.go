package gpt2

import (
	"os"
	"path/filepath"
	"testing"
)

// A model's own vocabulary is found by its folder, its file and a random model's configuration, and copies whole.
func TestTokenizerOf(t *testing.T) {
	dir, to := t.TempDir(), t.TempDir()
	config := filepath.Join(dir, "config.json")
	if err := os.WriteFile(config, []byte(`{"n_embd": 8, "n_head": 2}`), 0o644); err != nil {
		t.Fatal(err)
	}
	size := func(name string) int {
		t.Helper()
		tok, err := TokenizerOf(name)
		if err != nil {
			t.Fatal(err)
		}
		return tok.VocabSize()
	}
	if n := size("random:" + config); n != 50257 {
		t.Errorf("without a vocabulary beside it: %d tokens, want the published ones", n)
	}
	if err := CopyVocabulary("random:"+config, to); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(to); err != nil || len(left) != 0 {
		t.Errorf("copying no vocabulary left %v, %v", left, err)
	}
	for name, text := range map[string]string{"vocab.json": tinyVocab(t, "ab"), "merges.txt": "a b\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := CopyVocabulary("random:"+config, to); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{dir, config, "random:" + config, to} {
		if n := size(name); n != 257 {
			t.Errorf("%s: %d tokens, want its own 257", name, n)
		}
	}
	for _, name := range []string{"random:gpt2", "gpt2", ""} {
		if n := size(name); n != 50257 {
			t.Errorf("%s: %d tokens, want the published ones", name, n)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "merges.txt"), []byte("no such merge\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := TokenizerOf(dir); err == nil {
		t.Error("a broken vocabulary is no error")
	}
}
