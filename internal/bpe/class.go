package bpe

import (
	"unicode"
	"unicode/utf8"
)

// Class is what the word patterns of both tokenizers distinguish about a rune.
type Class uint8

// The classes: \s, \p{L}, \p{N} and everything else. Invalid UTF-8 is Other, a byte at a time.
const (
	Other Class = iota
	Space
	Letter
	Number
)

var ascii = classes()

func classes() (c [utf8.RuneSelf]Class) {
	for r := range rune(utf8.RuneSelf) {
		c[r] = classOf(r)
	}
	return c
}

// classOf follows Unicode 15, Go's tables. unicode.IsSpace leaves out U+001C to U+001F, as
// \s does in the regular-expression module the reference uses.
func classOf(r rune) Class {
	switch {
	case unicode.IsLetter(r):
		return Letter
	case unicode.Is(unicode.N, r):
		return Number
	case unicode.IsSpace(r):
		return Space
	}
	return Other
}

// Next returns the class and the width in bytes of the rune that starts at s[i]; i < len(s).
func Next(s string, i int) (Class, int) {
	if b := s[i]; b < utf8.RuneSelf {
		return ascii[b], 1
	}
	r, n := utf8.DecodeRuneInString(s[i:])
	if r == utf8.RuneError && n <= 1 {
		return Other, 1
	}
	return classOf(r), n
}

// Run returns where the run of runes of class c that starts at s[i] ends.
func Run(s string, i int, c Class) int {
	for i < len(s) {
		k, n := Next(s, i)
		if k != c {
			break
		}
		i += n
	}
	return i
}
