package gpt2

import (
	"fmt"
	"slices"
	"sync"

	"github.com/clipcap-go/clipcap/internal/bpe"
)

// EndOfText is the text of the token that ends a document. In a text to encode it is not
// special: its characters are encoded like any others, as OpenAI's encoder.py does.
const EndOfText = "<|endoftext|>"

// Tokenizer turns text into GPT-2's token ids and back. It is safe for concurrent use.
type Tokenizer struct {
	tokens []string           // of each id, the bytes it stands for
	bytes  [256]int32         // of each byte, its token
	merges func() *bpe.Merges // made when the first word needs them: whoever only decodes does without
	end    int32
	cache  bpe.Cache
}

// DefaultTokenizer returns the tokenizer of the published GPT-2 models, 50,257 tokens. The
// vocabulary is part of the program; it is read at the first call and shared by all.
func DefaultTokenizer() (*Tokenizer, error) { return published() }

var published = sync.OnceValues(loadPublished)

// VocabSize is the number of token ids: all ids are in [0, VocabSize).
func (t *Tokenizer) VocabSize() int { return len(t.tokens) }

// EndOfText is the id of <|endoftext|>, or -1 when the vocabulary has none.
func (t *Tokenizer) EndOfText() int32 { return t.end }

// Encode returns the token ids of text. Every string can be encoded: bytes that are not valid
// UTF-8 become tokens of single bytes, so that decoding gives them back.
func (t *Tokenizer) Encode(text string) []int32 { return t.AppendEncode(nil, text) }

// AppendEncode appends the token ids of text to dst. With enough room in dst, and words met
// before, it allocates nothing.
func (t *Tokenizer) AppendEncode(dst []int32, text string) []int32 {
	for len(text) > 0 {
		n := wordEnd(text)
		dst = t.appendWord(dst, text[:n])
		text = text[n:]
	}
	return dst
}

func (t *Tokenizer) appendWord(dst []int32, word string) []int32 {
	if len(word) == 1 {
		return append(dst, t.bytes[word[0]])
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
	ids := t.merges().Apply(dst[start:])
	t.cache.Put(word, ids)
	return dst[:start+len(ids)]
}

// Decode returns the text of ids. Bytes that do not form UTF-8 become U+FFFD, one for each
// maximal part of a character that breaks off, as Python's bytes.decode(errors="replace") has it.
// An id outside the vocabulary is an error.
func (t *Tokenizer) Decode(ids []int32) (string, error) {
	b, err := t.AppendDecode(nil, ids)
	if err != nil {
		return "", err
	}
	return lossy(b), nil
}

// AppendDecode appends the bytes that ids stand for to dst, whether or not they form UTF-8.
// An id outside the vocabulary is an error.
func (t *Tokenizer) AppendDecode(dst []byte, ids []int32) ([]byte, error) {
	for i, id := range ids {
		if id < 0 || int(id) >= len(t.tokens) {
			return dst, fmt.Errorf("decode token %d of %d: id %d is outside the vocabulary of %d", i, len(ids), id, len(t.tokens))
		}
		dst = append(dst, t.tokens[id]...)
	}
	return dst, nil
}
