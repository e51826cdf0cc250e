package clip

import (
	"fmt"
	"slices"

	"github.com/clipcap-go/clipcap/internal/bpe"
)

// ContextLength is the number of tokens in a row of every published CLIP's text encoder.
const ContextLength = 77

// The texts that stand for the tokens around a caption. Unlike GPT-2's, they are special in a
// text to encode too, as in openai/CLIP simple_tokenizer.py.
const (
	startText = "<|startoftext|>"
	endText   = "<|endoftext|>"
)

const (
	merges     = 49152 - 256 - 2 // lines of the published file that count
	startToken = 2*256 + merges
	endToken   = startToken + 1
)

// Tokenizer turns captions into CLIP's token ids. It is safe for concurrent use.
//
// The vocabulary has 49,408 tokens: 256 bytes, the same at the end of a word, 48,894 merges,
// and the two around a caption, 49406 and 49407.
type Tokenizer struct {
	bytes  [256]int32
	merges *bpe.Merges
	cache  bpe.Cache
}

// VocabSize is the number of token ids of CLIP.
func (t *Tokenizer) VocabSize() int { return endToken + 1 }

// Encode returns the token ids of text after FixText and Clean, without the tokens around it.
func (t *Tokenizer) Encode(text string) []int32 {
	return t.appendClean(nil, Clean(FixText(text)))
}

// AppendRow appends the row of length ids that a text encoder takes: the start token, text's,
// the end token, zeros. Text too long for it is an error, or loses its end when truncate is
// set; the last token is the end token in any case.
func (t *Tokenizer) AppendRow(dst []int32, text string, length int, truncate bool) ([]int32, error) {
	if length < 2 {
		return dst, fmt.Errorf("row of %d tokens: want at least the two around a caption", length)
	}
	start := len(dst)
	row := t.appendClean(append(dst, startToken), Clean(FixText(text)))
	if n := len(row) + 1 - start; n > length {
		if !truncate {
			return dst, fmt.Errorf("text %.60q has %d tokens, want at most %d", text, n, length)
		}
		row = row[:start+length-1]
	}
	row = append(row, endToken)
	if pad := start + length - len(row); pad > 0 {
		n := len(row)
		row = slices.Grow(row, pad)[:n+pad]
		clear(row[n:])
	}
	return row, nil
}

// appendClean appends the ids of text that has been cleaned.
func (t *Tokenizer) appendClean(dst []int32, text string) []int32 {
	for len(text) > 0 {
		class, n := bpe.Next(text, 0)
		if class != bpe.Space {
			n = wordEnd(text)
			dst = t.appendWord(dst, text[:n])
		}
		text = text[n:]
	}
	return dst
}

func (t *Tokenizer) appendWord(dst []int32, word string) []int32 {
	switch word {
	case startText:
		return append(dst, startToken)
	case endText:
		return append(dst, endToken)
	}
	dst, known := t.cache.Get(dst, word)
	if known {
		return dst
	}
	start := len(dst)
	dst = slices.Grow(dst, len(word))
	for i := range len(word) {
		dst = append(dst, t.bytes[word[i]])
	}
	dst[len(dst)-1] += 256 // a byte at the end of a word is another token
	ids := t.merges.Apply(dst[start:])
	t.cache.Put(word, ids)
	return dst[:start+len(ids)]
}

// wordEnd returns where the first word of s ends; s does not start with white space. The words
// are the matches of simple_tokenizer.py's pattern, which ignores case:
//
//	<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
func wordEnd(s string) int {
	switch s[0] {
	case '<':
		for _, special := range [...]string{startText, endText} {
			if len(s) >= len(special) && s[:len(special)] == special {
				return len(special)
			}
		}
	case '\'':
		// ſ, the long s, is the only letter that survives lower-casing and still equals another
		// when case is ignored.
		for _, c := range [...]string{"'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'ſ"} {
			if len(s) >= len(c) && s[:len(c)] == c {
				return len(c)
			}
		}
	}
	class, n := bpe.Next(s, 0)
	if class == bpe.Number {
		return n // each digit stands alone
	}
	return bpe.Run(s, n, class)
}
