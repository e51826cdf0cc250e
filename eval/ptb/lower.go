package ptb

import (
	"strings"
	"unicode"
)

// toLower is Java's String.toLowerCase for English: Unicode's, with the two rules of SpecialCasing that apply to it.
// İ becomes i and a dot above; a Σ that ends a word becomes ς.
func toLower(s string) string {
	ascii := true
	for i := range len(s) {
		if s[i] >= 0x80 {
			ascii = false
			break
		}
	}
	if ascii || !strings.ContainsAny(s, "\u0130\u03A3") {
		return strings.ToLower(s)
	}
	runes := []rune(s)
	var out strings.Builder
	for i, r := range runes {
		switch {
		case r == 'İ':
			out.WriteString("i\u0307")
		case r == 'Σ' && nextCased(runes, i, -1) && !nextCased(runes, i, 1):
			out.WriteRune('ς')
		default:
			out.WriteRune(unicode.ToLower(r))
		}
	}
	return out.String()
}

// nextCased reports whether the nearest character in direction step that is not case-ignorable has case.
func nextCased(runes []rune, i, step int) bool {
	for i += step; i >= 0 && i < len(runes); i += step {
		r := runes[i]
		if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk) || strings.ContainsRune("'.:·\u2019\u2018\u2027", r) {
			continue
		}
		return unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r)
	}
	return false
}
