package meteor

import (
	"strings"
	"unicode"
)

// normalize splits a caption into METEOR's words, lower-case: English text as METEOR's own normaliser writes it, punctuation kept.
// Its steps are search-and-replace passes; a pass takes up the text behind what it last replaced, so of two overlapping places only
// the first changes.
func (d *Data) normalize(text string) []string {
	r := []rune(" " + text + " ")
	r = splitSpecials(r)
	r = splitDotRuns(r)
	r = around(r, ',', notDigit, notDigit, " , ")
	r = around(r, ',', isDigit, notDigit, " , ")
	r = around(r, ',', notDigit, isDigit, " , ")
	s := doubled.Replace(quotes.Replace(string(r)))
	r = around([]rune(s), '-', isAlnumOrDot, isAlnum, " ")
	r = around(r, '\'', notAlpha, notAlpha, " ' ")
	r = around(r, '\'', notAlnum, isAlpha, " ' ")
	r = around(r, '\'', isAlpha, notAlpha, " ' ")
	r = around(r, '\'', isAlpha, isAlpha, " '")
	r = around(r, '\'', isDigit, func(r rune) bool { return r == 's' }, " '")
	return d.splitFullStops(strings.FieldsFunc(string(r), isBlank))
}

var (
	quotes  = strings.NewReplacer("`", "'", "‘", "'", "’", "'", "“", ` " `, "”", ` " `, "–", "-")
	doubled = strings.NewReplacer("''", ` " `, "--", "-")
)

// splitSpecials puts spaces round every character that is no letter, digit, blank or mark that later steps look at.
func splitSpecials(r []rune) []rune {
	out := make([]rune, 0, len(r)+8)
	for _, c := range r {
		if isAlnum(c) || isBlank(c) || strings.ContainsRune(".'`,-‘’", c) {
			out = append(out, c)
		} else {
			out = append(out, ' ', c, ' ')
		}
	}
	return out
}

// aDot stands for a dot of a run of several, which no later step takes for a full stop. The character is unassigned for good.
const aDot = '\uFDD0'

// splitDotRuns makes every run of two or more dots a word.
func splitDotRuns(r []rune) []rune {
	out := make([]rune, 0, len(r)+8)
	for i := 0; i < len(r); {
		n := 0
		for i+n < len(r) && r[i+n] == '.' {
			n++
		}
		if n < 2 {
			out = append(out, r[i])
			i++
			continue
		}
		out = append(out, ' ')
		for range n {
			out = append(out, aDot)
		}
		out = append(out, ' ')
		i += n
	}
	return out
}

// around replaces each mid that stands between a character left takes and one right takes.
func around(r []rune, mid rune, left, right func(rune) bool, by string) []rune {
	found := false
	for _, c := range r {
		if c == mid {
			found = true
			break
		}
	}
	if !found {
		return r
	}
	out := make([]rune, 0, len(r)+8)
	for i := 0; i < len(r); {
		if i+2 < len(r) && r[i+1] == mid && left(r[i]) && right(r[i+2]) {
			out = append(out, r[i])
			out = append(out, []rune(by)...)
			out = append(out, r[i+2])
			i += 3
			continue
		}
		out = append(out, r[i])
		i++
	}
	return out
}

// splitFullStops takes the dot off each word it ends as a full stop, undoes the dots of acronyms, and lower-cases.
func (d *Data) splitFullStops(words []string) []string {
	var out []string
	for i, w := range words {
		next := ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		stem, dotted := strings.CutSuffix(w, ".")
		switch {
		case !dotted || stem == "":
			out = append(out, w)
		case strings.Contains(stem, ".") && strings.ContainsFunc(stem, isAlpha):
			out = append(out, strings.ReplaceAll(w, ".", ""))
		case d.prefixes[stem] == anyPrefix, startsWith(next, 'a', 'z'), d.prefixes[stem] == numberPrefix && startsWith(next, '0', '9'):
			out = append(out, w)
		default:
			out = append(out, stem, ".")
		}
	}
	for i, w := range out {
		out[i] = strings.ReplaceAll(strings.ToLower(w), string(aDot), ".")
	}
	return out
}

func startsWith(s string, from, to byte) bool { return s != "" && s[0] >= from && s[0] <= to }

func isDigit(r rune) bool      { return r >= '0' && r <= '9' }
func notDigit(r rune) bool     { return !isDigit(r) }
func notAlpha(r rune) bool     { return !isAlpha(r) }
func isAlnum(r rune) bool      { return isDigit(r) || isAlpha(r) }
func notAlnum(r rune) bool     { return !isAlnum(r) }
func isAlnumOrDot(r rune) bool { return r == '.' || isAlnum(r) }

// isBlank is Unicode's white space; a no-break space is one.
func isBlank(r rune) bool { return unicode.IsSpace(r) || r >= 0x1C && r <= 0x1F }

// isAlpha says whether METEOR takes a character for a letter: Latin, Cyrillic and phonetic ones.
func isAlpha(r rune) bool {
	if r < 0x80 {
		return 'a' <= r|0x20 && r|0x20 <= 'z'
	}
	return unicode.Is(letters, r)
}

var letters = &unicode.RangeTable{R16: []unicode.Range16{
	{Lo: 0xC0, Hi: 0xD6, Stride: 1}, {Lo: 0xD8, Hi: 0xF6, Stride: 1}, {Lo: 0xF8, Hi: 0x17E, Stride: 1},
	{Lo: 0x400, Hi: 0x527, Stride: 1}, {Lo: 0x1D00, Hi: 0x1D7F, Stride: 1},
	{Lo: 0xA640, Hi: 0xA66E, Stride: 1}, {Lo: 0xA67E, Hi: 0xA697, Stride: 1},
}}
