package gpt2

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/clipcap-go/clipcap/internal/bpe"
	"github.com/clipcap-go/clipcap/internal/files"
	loader "github.com/pkoukk/tiktoken-go-loader"
)

const (
	maxVocab = 1 << 20  // tokens; GPT-2 has 50,257
	maxFile  = 64 << 20 // bytes of a vocabulary file; GPT-2's have 1.0 and 0.5 MB
)

// loadPublished reads the ranks in the program. They are token ids, and the merges follow
// from them: token 256+i is made by merge i, from the two tokens that the merges before it
// leave of its bytes.
func loadPublished() (*Tokenizer, error) {
	const name = "r50k_base.tiktoken"
	ranks, err := loader.NewOfflineLoader().LoadTiktokenBpe(name)
	if err != nil {
		return nil, fmt.Errorf("read the built-in GPT-2 vocabulary %s: %w", name, err)
	}
	tokens := make([]string, len(ranks)+1)
	tokens[len(ranks)] = EndOfText
	for token, rank := range ranks {
		if rank < 0 || rank >= len(ranks) || tokens[rank] != "" || token == "" {
			return nil, fmt.Errorf("built-in GPT-2 vocabulary %s: bad rank %d of token %q", name, rank, token)
		}
		tokens[rank] = token
	}
	t := &Tokenizer{tokens: tokens, end: int32(len(ranks))}
	if err := t.findBytes(ranks); err != nil {
		return nil, fmt.Errorf("built-in GPT-2 vocabulary %s: %w", name, err)
	}
	t.merges = sync.OnceValue(t.mergesOfRanks)
	return t, nil
}

// mergesOfRanks finds the merge behind each token of the built-in vocabulary. It panics where there is none: the vocabulary is a
// part of the program.
func (t *Tokenizer) mergesOfRanks() *bpe.Merges {
	m := bpe.NewMerges(int(t.end) - 256)
	var word []int32
	for id := 256; id < int(t.end); id++ {
		word = word[:0]
		for _, b := range []byte(t.tokens[id]) {
			word = append(word, t.bytes[b])
		}
		if word = m.Apply(word); len(word) != 2 {
			panic(fmt.Sprintf("gpt2: token %d %q of the built-in vocabulary is not the merge of two before it", id, t.tokens[id]))
		}
		if err := m.Add(word[0], word[1], int32(id)); err != nil {
			panic(fmt.Sprintf("gpt2: the built-in vocabulary: %v", err))
		}
	}
	return m
}

func (t *Tokenizer) findBytes(ids map[string]int) error {
	for b := range 256 {
		id, ok := ids[string([]byte{byte(b)})]
		if !ok {
			return fmt.Errorf("no token for the byte 0x%02x", b)
		}
		t.bytes[b] = int32(id)
	}
	return nil
}

// vocabFiles are the names a vocabulary and its merges have in model folders: Hugging Face's and OpenAI's.
var vocabFiles = [...][2]string{{"vocab.json", "merges.txt"}, {"encoder.json", "vocab.bpe"}}

// OpenTokenizer reads the vocabulary in a model's folder: vocab.json with merges.txt, or
// encoder.json with vocab.bpe. Where neither pair is there, the error wraps fs.ErrNotExist.
func OpenTokenizer(dir string) (*Tokenizer, error) {
	for _, names := range vocabFiles {
		t, err := openTokenizer(filepath.Join(dir, names[0]), filepath.Join(dir, names[1]))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return t, err
		}
	}
	return nil, fmt.Errorf("read GPT-2 vocabulary in %s: want vocab.json and merges.txt, or encoder.json and vocab.bpe: %w", dir, fs.ErrNotExist)
}

func openTokenizer(vocab, merges string) (*Tokenizer, error) {
	v, err := files.Open(vocab)
	if err != nil {
		return nil, fmt.Errorf("read GPT-2 vocabulary: %w", err)
	}
	defer v.Close()
	m, err := files.Open(merges)
	if err != nil {
		return nil, fmt.Errorf("read GPT-2 vocabulary: %w", err)
	}
	defer m.Close()
	t, err := ReadTokenizer(v, m)
	if err != nil {
		return nil, fmt.Errorf("%s, %s: %w", vocab, merges, err)
	}
	return t, nil
}

// ReadTokenizer reads a vocabulary (a JSON object from printable token to id) and its merges
// (a pair of printable tokens a line, the most important first; a first line that starts with
// #version is skipped). Every byte must have a token, and every merge and its parts one too.
func ReadTokenizer(vocab, merges io.Reader) (*Tokenizer, error) {
	ids, err := readVocab(vocab)
	if err != nil {
		return nil, fmt.Errorf("read GPT-2 vocabulary: %w", err)
	}
	t := &Tokenizer{end: -1}
	if id, ok := ids[EndOfText]; ok {
		t.end = int32(id)
	}
	last := -1
	for _, id := range ids {
		last = max(last, id)
	}
	t.tokens = make([]string, last+1)
	for token, id := range ids {
		t.tokens[id] = token
	}
	if err := t.findBytes(ids); err != nil {
		return nil, fmt.Errorf("read GPT-2 vocabulary: %w", err)
	}
	if err := t.readMerges(merges, ids); err != nil {
		return nil, fmt.Errorf("read GPT-2 merges: %w", err)
	}
	return t, nil
}

// readVocab returns the ids by the bytes of their tokens.
func readVocab(r io.Reader) (map[string]int, error) {
	text, err := readAll(r)
	if err != nil {
		return nil, err
	}
	var spelt map[string]int
	if err := files.Unmarshal(text, &spelt); err != nil {
		return nil, fmt.Errorf("want a JSON object from token to id: %w", err)
	}
	ids := make(map[string]int, len(spelt))
	used := make([]bool, min(len(spelt)*2, maxVocab)) // a few gaps are tolerated, a hole is not
	for s, id := range spelt {
		token, err := bpe.Unspell(s)
		if err != nil {
			token = s // an added token, written as it is
		}
		_, twice := ids[token]
		if id < 0 || id >= len(used) || used[id] || twice || token == "" {
			return nil, fmt.Errorf("token %.40q has id %d: want distinct tokens and ids below %d", s, id, len(used))
		}
		used[id], ids[token] = true, id
	}
	return ids, nil
}

// readMerges reads a list of merges, whose parts and results must have ids.
func (t *Tokenizer) readMerges(r io.Reader, ids map[string]int) error {
	type merge struct{ left, right, token int32 }
	var list []merge
	lines := bufio.NewScanner(&io.LimitedReader{R: r, N: maxFile})
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSuffix(lines.Text(), "\r")
		if line == "" || n == 1 && strings.HasPrefix(line, "#version") {
			continue
		}
		left, right, ok := strings.Cut(line, " ")
		if !ok || strings.Contains(right, " ") {
			return fmt.Errorf("line %d: %.40q: want two tokens with a space between them", n, line)
		}
		var id [3]int32
		for i, s := range []string{left, right, left + right} {
			token, err := bpe.Unspell(s)
			if err != nil {
				return fmt.Errorf("line %d: %w", n, err)
			}
			k, ok := ids[token]
			if !ok {
				return fmt.Errorf("line %d: token %.40q is not in the vocabulary", n, s)
			}
			id[i] = int32(k)
		}
		if list = append(list, merge{id[0], id[1], id[2]}); len(list) > maxVocab {
			return fmt.Errorf("line %d: more than %d merges", n, maxVocab)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	// A list that was cut short would spell everything in shorter tokens. Tokens that no merge makes are some hundreds at most: bytes and
	// added ones.
	if lack := len(ids) - len(list); lack > max(1<<10, len(ids)/50) {
		return fmt.Errorf("%d merges for a vocabulary of %d tokens: the file ends too early", len(list), len(ids))
	}
	all := bpe.NewMerges(len(list))
	for _, m := range list {
		if err := all.Add(m.left, m.right, m.token); err != nil {
			return fmt.Errorf("%q + %q: %w", t.tokens[m.left], t.tokens[m.right], err)
		}
	}
	t.merges = func() *bpe.Merges { return all }
	return nil
}

func readAll(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("longer than %d MB", maxFile>>20)
	}
	return slices.Clip(text), err
}
