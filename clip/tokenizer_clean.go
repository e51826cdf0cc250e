package clip

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean brings text to the form that is split into words: character references of HTML
// replaced twice, white space at the ends removed and elsewhere made one space, lower case
// (openai/CLIP simple_tokenizer.py, basic_clean without ftfy, and whitespace_clean).
func Clean(text string) string {
	text = unescape(unescape(text, false), false)
	text = strings.TrimFunc(text, func(r rune) bool {
		// Python's strip takes the four separators too, which \s below does not match.
		return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f
	})
	return lower(strings.Join(strings.Fields(text), " "))
}

// lower is Python's str.lower: strings.ToLower, but İ becomes i and a combining dot, and Σ at
// the end of a word becomes ς.
func lower(s string) string {
	if !strings.ContainsAny(s, "İΣ") {
		return strings.ToLower(s)
	}
	var b strings.Builder
	for i, r := range s {
		switch r {
		case 'İ':
			b.WriteString("i\u0307")
		case 'Σ':
			if endsWord(s, i) {
				r = 'Σ' + 0x1f // ς, one before σ
			}
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// endsWord tells whether the Σ at s[i] has a cased letter before it and none after it,
// case-ignorable characters aside (Unicode 15, table 3-17, Final_Sigma).
func endsWord(s string, i int) bool {
	before, after := false, false
	for j := i; j > 0; {
		r, n := utf8.DecodeLastRuneInString(s[:j])
		if j -= n; !caseIgnorable(r) {
			before = cased(r)
			break
		}
	}
	for _, r := range s[i+len("Σ"):] {
		if !caseIgnorable(r) {
			after = cased(r)
			break
		}
	}
	return before && !after
}

func cased(r rune) bool {
	return unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

// midWord are the characters that Unicode's word breaks allow inside a word.
var midWord = []rune{'\'', '.', ':', '·', '\u0387', '\u055f', '\u05f4', '\u2018', '\u2019', '\u2024', '\u2027',
	'\ufe13', '\ufe52', '\ufe55', '\uff07', '\uff0e', '\uff1a'}

func caseIgnorable(r rune) bool {
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) || slices.Contains(midWord, r)
}
