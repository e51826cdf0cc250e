// Package ptb splits English text into Penn Treebank tokens the way caption metrics expect them: the tokenizer of Stanford CoreNLP 3.4.1
// (flags -preserveLines -lowerCase) and the filter that coco-caption puts behind it.
//
// The tokenizer is a table of some eighty rules (rules.go), each a regular expression with an optional look-ahead, of which the longest
// match wins. All rules run at once as one automaton over UTF-16 units whose states are built when they are first needed (dfa.go).
//
// Captions are lexed as one stream, a caption a line, because a few rules look across the line end: "a plan B." before the caption
// "A man runs" is [a plan b], before "Man runs" it is [a plan b.]. The result of a caption therefore depends on its neighbours and
// there is no function that takes a single one.
package ptb

import (
	"strings"

	"github.com/clipcap-go/clipcap/eval/internal/space"
)

// Tokenize returns the tokens of each caption as the metrics see them: joined by a single space, lower-case, without punctuation.
// A few tokens ("10 1/2", a phone number) hold a no-break space, U+00A0.
//
// A line separator other than "\n" inside a caption ends a line of the stream, so that all later captions move down, as they do in the
// reference; see [LineSeparator].
func Tokenize(captions []string) []string {
	return Final(Raw(captions))
}

// Final takes punctuation out of the tokenizer's lines, in place, and returns them.
func Final(lines []string) []string {
	for i, line := range lines {
		lines[i] = dropPunctuation(line)
	}
	return lines
}

// Raw returns the tokenizer's output line for each caption, punctuation included.
func Raw(captions []string) []string {
	var stream strings.Builder
	for i, c := range captions {
		if i > 0 {
			stream.WriteByte('\n')
		}
		stream.WriteString(strings.ReplaceAll(c, "\n", " "))
	}
	lines := Lines(stream.String())
	// A caption may end lines of its own; the reference pairs lines with captions until either runs out.
	for len(lines) < len(captions) {
		lines = append(lines, "")
	}
	return lines[:len(captions)]
}

// Lines tokenizes text as it stands: a line of tokens for each of its lines, joined by single spaces and lower-case.
// A line end at the end of the text is followed by one more, empty, line.
func Lines(text string) []string {
	x := lexers.Get().(*lexer)
	defer lexers.Put(x)
	return x.lines(text)
}

// lines is [Lines] with a given lexer.
func (x *lexer) lines(text string) []string {
	var lines []string
	var line strings.Builder
	x.lex(text, func(token string) {
		if token == "\n" {
			lines = append(lines, line.String())
			line.Reset()
			return
		}
		if line.Len() > 0 {
			line.WriteByte(' ')
		}
		line.WriteString(toLower(token))
	})
	return append(lines, line.String())
}

// LineSeparator returns the first character of a caption that ends a line in the tokenizer though it is not "\n", or -1.
// Such a caption shifts every caption after it by a line.
func LineSeparator(caption string) rune {
	for _, r := range caption {
		if r != '\n' && strings.ContainsRune(lineEnd, r) {
			return r
		}
	}
	return -1
}

// punctuation lists the tokens that coco-caption leaves out. The bracket names never occur in lower-cased text, and so brackets
// stay in as words.
var punctuation = map[string]bool{
	"''": true, "'": true, "``": true, "`": true, "-LRB-": true, "-RRB-": true, "-LCB-": true, "-RCB-": true,
	".": true, "?": true, "!": true, ",": true, ":": true, "-": true, "--": true, "...": true, ";": true,
}

// dropPunctuation takes the tokens of the list out of a line. A few tokens end in a wide space, which the reference strips off the end of
// the line.
func dropPunctuation(line string) string {
	line = strings.TrimRightFunc(line, space.Python)
	var out strings.Builder
	out.Grow(len(line))
	for token := range strings.SplitSeq(line, " ") {
		if !punctuation[token] {
			if out.Len() > 0 {
				out.WriteByte(' ')
			}
			out.WriteString(token)
		}
	}
	return out.String()
}
