package gpt2

import (
	"strings"
	"unicode/utf8"
)

// lossy returns b as text, with one U+FFFD for each maximal subpart of an ill-formed sequence
// (Unicode 15, section 3.9, table 3-8): the longest beginning of a character that could still
// have become valid, or else a single byte. strings.ToValidUTF8 would merge neighbours, and a
// range loop would give one for each byte.
func lossy(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var s strings.Builder
	s.Grow(len(b) + 8)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			n = subpart(b)
		}
		s.WriteRune(r)
		b = b[n:]
	}
	return s.String()
}

// subpart returns the length of the maximal subpart at the start of b, which is ill-formed there.
func subpart(b []byte) int {
	low, high, rest := byte(0x80), byte(0xbf), 0
	switch c := b[0]; {
	case 0xc2 <= c && c <= 0xdf:
		rest = 1
	case c == 0xe0:
		low, rest = 0xa0, 2 // no overlong forms
	case c == 0xed:
		high, rest = 0x9f, 2 // no surrogates
	case 0xe1 <= c && c <= 0xef:
		rest = 2
	case c == 0xf0:
		low, rest = 0x90, 3
	case 0xf1 <= c && c <= 0xf3:
		rest = 3
	case c == 0xf4:
		high, rest = 0x8f, 3 // nothing above U+10FFFF
	}
	n := 1
	for n <= rest && n < len(b) && low <= b[n] && b[n] <= high {
		low, high = 0x80, 0xbf // only the second byte has a narrower range
		n++
	}
	return n
}

// spaced are the replacements of clean_up_tokenization in Hugging Face's transformers 4.10 to
// 4.12, which the original's decoding used; each is made on the result of the one before.
var spaced = [...][2]string{
	{" .", "."}, {" ?", "?"}, {" !", "!"}, {" ,", ","}, {" ' ", "'"},
	{" n't", "n't"}, {" 'm", "'m"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"},
}

// CleanUp closes the gaps in front of punctuation and contractions that captions from
// tokenised sources have ("a dog 's bowl ." becomes "a dog's bowl."). The original's captions
// went through it after decoding; Decode leaves the text as it is.
func CleanUp(text string) string {
	if !strings.Contains(text, " ") {
		return text
	}
	for _, s := range spaced {
		text = strings.ReplaceAll(text, s[0], s[1])
	}
	return text
}
