package clip

import (
	"html"
	"strings"
	"unicode/utf8"
)

// longestReference is the number of characters that may follow the "&" of a named character
// reference, its semicolon aside (Python html.unescape).
const longestReference = 32

// unescape replaces HTML's character references as Python's html.unescape does; strict leaves
// those that do not end in a semicolon, as ftfy.fixes.unescape_html does.
func unescape(s string, strict bool) string {
	if !strings.Contains(s, "&") {
		return s
	}
	var b strings.Builder
	for {
		text, rest, found := strings.Cut(s, "&")
		b.WriteString(text)
		if !found {
			return b.String()
		}
		n := referenceLen(rest)
		if plain, ok := reference(rest[:n], strict); ok {
			b.WriteString(plain)
		} else {
			b.WriteString("&" + rest[:n])
		}
		s = rest[n:]
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isHex(c byte) bool   { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

// referenceLen returns how much of s, which follows an "&", may belong to a reference.
func referenceLen(s string) int {
	n := 0
	if strings.HasPrefix(s, "#") {
		n = 1
		is := isDigit
		if n < len(s) && s[n]|0x20 == 'x' {
			n, is = 2, isHex
		}
		first := n
		for n < len(s) && is(s[n]) {
			n++
		}
		if n == first {
			return 0
		}
	} else {
		for runes := 0; n < len(s) && runes < longestReference && !strings.ContainsRune("\t\n\f <&#;", rune(s[n])); runes++ {
			_, w := utf8.DecodeRuneInString(s[n:])
			n += w
		}
		if n == 0 {
			return 0
		}
	}
	if n < len(s) && s[n] == ';' {
		n++
	}
	return n
}

// reference returns what the reference ref, its "&" left out, stands for. What follows a name
// without a semicolon ("&notit" is ¬it) is part of the answer.
func reference(ref string, strict bool) (string, bool) {
	closed := strings.HasSuffix(ref, ";")
	if ref == "" || strict && !closed {
		return "", false
	}
	if ref[0] == '#' {
		return numeric(ref[1:]), true
	}
	text := html.UnescapeString("&" + ref)
	if text == "&"+ref {
		// ftfy also knows the names in capitals, &EACUTE; for É.
		if low := strings.ToLower(ref); strict && low != ref && strings.ToUpper(ref) == ref {
			if c, ok := reference(low, true); ok {
				return strings.ReplaceAll(strings.ToUpper(c), "ß", "SS"), true
			}
		}
		return "", false
	}
	if strict && strings.HasSuffix(text, ";") && ref != "semi;" {
		return "", false
	}
	return text, true
}

// numeric returns the character of a reference by number: windows-1252's where C1 controls
// would be, U+FFFD outside Unicode, nothing for what HTML calls an invalid code point.
func numeric(ref string) string {
	base := rune(10)
	if ref[0]|0x20 == 'x' {
		base, ref = 16, ref[1:]
	}
	var r rune
	for i := 0; i < len(ref) && ref[i] != ';' && r <= utf8.MaxRune; i++ {
		d := rune(ref[i] - '0')
		if !isDigit(ref[i]) {
			d = rune(ref[i]|0x20-'a') + 10
		}
		r = r*base + d
	}
	switch {
	case 0x80 <= r && r <= 0x9f:
		if c := windows1252[r-0x80]; c != 0 {
			r = c
		}
	case r == 0, 0xd800 <= r && r <= 0xdfff, r > utf8.MaxRune:
		r = utf8.RuneError
	case r < 0x09, r == 0x0b, 0x0e <= r && r <= 0x1f, r == 0x7f, 0xfdd0 <= r && r <= 0xfdef, r&0xfffe == 0xfffe:
		return ""
	}
	return string(r)
}
