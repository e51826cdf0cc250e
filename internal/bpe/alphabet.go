package bpe

import "fmt"

// Order lists the 256 bytes as OpenAI's vocabularies number them: the printable ones of
// Latin-1 first, then the others, each run ascending (openai/gpt-2 encoder.py, bytes_to_unicode).
var Order = order()

// printable[b] is the rune that stands for byte b in a vocabulary file.
var printable = spell()

// plain is the inverse of printable; the runes end below 256 + 68.
var plain = unspell()

func isPrintable(b int) bool {
	return '!' <= b && b <= '~' || 0xa1 <= b && b <= 0xac || 0xae <= b && b <= 0xff
}

func order() (o [256]byte) {
	n := 0
	for _, want := range []bool{true, false} {
		for b := range 256 {
			if isPrintable(b) == want {
				o[n] = byte(b)
				n++
			}
		}
	}
	return o
}

func spell() (p [256]rune) {
	next := rune(256)
	for b := range 256 {
		if isPrintable(b) {
			p[b] = rune(b)
			continue
		}
		p[b] = next
		next++
	}
	return p
}

func unspell() map[rune]byte {
	m := make(map[rune]byte, 256)
	for b, r := range printable {
		m[r] = byte(b)
	}
	return m
}

// Spell returns how a vocabulary file writes the bytes of s: one printable rune a byte.
func Spell(s string) string {
	r := make([]rune, len(s))
	for i := range len(s) {
		r[i] = printable[s[i]]
	}
	return string(r)
}

// Unspell is the inverse of Spell. A rune that stands for no byte is an error.
func Unspell(s string) (string, error) {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		c, ok := plain[r]
		if !ok {
			return "", fmt.Errorf("token %.40q: %q stands for no byte", s, r)
		}
		b = append(b, c)
	}
	return string(b), nil
}
