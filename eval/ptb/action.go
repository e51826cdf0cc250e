package ptb

import "strings"

// An action rewrites a token's text; an empty result drops the token.
type action func(token string) string

// as writes the same text whatever the token.
func as(text string) action { return func(string) string { return text } }

// A nbsp stands for each space inside a token, so that the token stays one when the line is split at spaces.
const nbsp = "\u00A0"

var blanksToNBSP = strings.NewReplacer(" ", nbsp)

func joinBlanks(t string) string { return blanksToNBSP.Replace(t) }

// dropShy removes soft hyphens; a token of nothing else is a hyphen.
func dropShy(t string) string {
	if !strings.Contains(t, "\u00AD") {
		return t
	}
	if t = strings.ReplaceAll(t, "\u00AD", ""); t == "" {
		return "-"
	}
	return t
}

var straighten = strings.NewReplacer("&apos;", "'", "\u0092", "'", "\u2019", "'", "\u0091", "`", "\u2018", "`", "\u201B", "`")

// straightQuotes writes every apostrophe as '.
func straightQuotes(t string) string { return straighten.Replace(t) }

var ampersand = strings.NewReplacer("&amp;", "&")

func wordMarks(t string) string { return ampersand.Replace(t) }

func fraction(t string) string {
	switch t {
	case "\u00BC":
		return "1/4"
	case "\u00BD":
		return "1/2"
	case "\u00BE":
		return "3/4"
	case "\u2153":
		return "1/3"
	case "\u2154":
		return "2/3"
	}
	return t
}

func currency(t string) string {
	switch t {
	case "\u00A2":
		return "cents"
	case "\u00A3":
		return "#"
	case "\u0080", "\u00A4", "\u20A0", "\u20AC":
		return "$"
	}
	return t
}

// dotlessIfShort drops the dot of a one-letter acronym ("B."): it is scanned again as a full stop.
func dotlessIfShort(t string) string {
	if len(t) == 2 {
		return t[:1]
	}
	return t
}

var (
	parenNames   = strings.NewReplacer("(", "-LRB-", ")", "-RRB-")
	bracketNames = strings.NewReplacer("(", "-LRB-", ")", "-RRB-", "[", "-LSB-", "]", "-RSB-", "{", "-LCB-", "}", "-RCB-")
	quoteNames   = strings.NewReplacer("&apos;", "'", "\u0091", "`", "\u2018", "`", "\u201B", "`", "\u2039", "`", "\u0092", "'", "\u2019", "'", "\u203A", "'",
		"\u0093", "``", "\u201C", "``", "\u00AB", "``", "\u0094", "''", "\u201D", "''", "\u00BB", "''")
)

func parens(t string) string              { return parenNames.Replace(t) }
func brackets(t string) string            { return bracketNames.Replace(t) }
func joinBlanksAndParens(t string) string { return parens(joinBlanks(t)) }
func quotes(t string) string              { return quoteNames.Replace(t) }

// dashes writes three or four hyphens as a dash.
func dashes(t string) string {
	if len(t) == 3 || len(t) == 4 {
		return "--"
	}
	return t
}
