package clip

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"

	"github.com/clipcap-go/clipcap/internal/bpe"
	"github.com/clipcap-go/clipcap/internal/files"
)

// maxVocabFile bounds the vocabulary once unpacked; the published one has 3.3 MB.
const maxVocabFile = 64 << 20

// OpenTokenizer reads the vocabulary file at path: bpe_simple_vocab_16e6.txt.gz of openai/CLIP,
// also unpacked, or the merges.txt of a Hugging Face CLIP.
func OpenTokenizer(path string) (*Tokenizer, error) {
	f, err := files.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read CLIP vocabulary: %w", err)
	}
	defer f.Close()
	t, err := ReadTokenizer(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// ReadTokenizer reads a vocabulary, gzipped or not: after a first line that does not count,
// 48,894 merges, a pair of printable tokens a line. What follows is left out, as the original does.
func ReadTokenizer(r io.Reader) (*Tokenizer, error) {
	b := bufio.NewReader(r)
	r = b
	if magic, _ := b.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, fmt.Errorf("read CLIP vocabulary: %w", err)
		}
		r = z
	}
	t := &Tokenizer{merges: bpe.NewMerges(merges)}
	ids := make(map[string]int32, endToken) // by the printable form
	for i, c := range bpe.Order {
		t.bytes[c] = int32(i)
		s := bpe.Spell(string([]byte{c}))
		ids[s], ids[s+"</w>"] = int32(i), int32(i+256)
	}
	text, err := io.ReadAll(io.LimitReader(r, maxVocabFile))
	if err != nil {
		return nil, fmt.Errorf("read CLIP vocabulary: %w", err)
	}
	lines := strings.Split(string(text), "\n")
	if len(lines) < merges+1 {
		return nil, fmt.Errorf("read CLIP vocabulary: %d lines, want a version and %d merges", len(lines), merges)
	}
	for n, line := range lines[1 : merges+1] {
		if err := t.addMerge(ids, strings.TrimSuffix(line, "\r")); err != nil {
			return nil, fmt.Errorf("read CLIP vocabulary: line %d: %w", n+2, err)
		}
	}
	return t, nil
}

func (t *Tokenizer) addMerge(ids map[string]int32, line string) error {
	left, right, ok := strings.Cut(line, " ")
	if !ok {
		return fmt.Errorf("%.40q: want two tokens with a space between them", line)
	}
	l, okLeft := ids[left]
	r, okRight := ids[right]
	if !okLeft || !okRight {
		return fmt.Errorf("merge %.40q: want two tokens made by earlier lines", line)
	}
	// The published list makes each token once; were one made twice, its first parts could not
	// be told from its second ones.
	if _, twice := ids[left+right]; twice {
		return fmt.Errorf("merge %.40q makes a token that is already there", line)
	}
	id := int32(512 + t.merges.Len())
	ids[left+right] = id
	return t.merges.Add(l, r, id)
}
