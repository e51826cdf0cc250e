package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/clipcap-go/clipcap/internal/bpe"
)

// endOfText is GPT-2's token between texts.
const endOfText = "<|endoftext|>"

// vocabulary makes the byte-level byte-pair vocabulary of a world's captions: the 256 bytes, then every word, letter by
// letter from its beginning, with the space in front of it, as GPT-2's tokenizer splits text. A caption is a token a word
// then, and any other text can still be written, in bytes. The published vocabulary of 50,257 tokens would serve as
// well, at ten times the arithmetic.
func vocabulary(captions []string) (ids map[string]int, merges []string) {
	ids = map[string]int{}
	for _, b := range bpe.Order {
		ids[bpe.Spell(string([]byte{b}))] = len(ids)
	}
	words := map[string]bool{}
	for _, c := range captions {
		for i, w := range strings.Fields(strings.TrimSuffix(c, ".")) {
			if i > 0 {
				w = " " + w
			}
			words[w] = true
		}
	}
	sorted := make([]string, 0, len(words))
	for w := range words {
		sorted = append(sorted, w)
	}
	slices.Sort(sorted)
	for _, w := range sorted {
		for n := 2; n <= len(w); n++ {
			token := bpe.Spell(w[:n])
			if _, ok := ids[token]; !ok {
				ids[token] = len(ids)
				merges = append(merges, bpe.Spell(w[:n-1])+" "+bpe.Spell(w[n-1:n]))
			}
		}
	}
	ids[endOfText] = len(ids)
	return ids, merges
}

// languageModel writes a folder with a small GPT-2's configuration and the vocabulary of captions.
func languageModel(dir string, captions []string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	ids, merges := vocabulary(captions)
	config := map[string]any{"model_type": "gpt2", "vocab_size": len(ids), "n_positions": 128, "n_embd": 128, "n_layer": 2, "n_head": 4,
		"embd_pdrop": 0, "attn_pdrop": 0, "resid_pdrop": 0}
	for name, value := range map[string]any{"config.json": config, "vocab.json": ids} {
		text, err := json.MarshalIndent(value, "", " ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), append(text, '\n'), 0o644); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return os.WriteFile(filepath.Join(dir, "merges.txt"), []byte("#version: 0.2\n"+strings.Join(merges, "\n")+"\n"), 0o644)
}
