package gpt2

import "github.com/clipcap-go/clipcap/internal/bpe"

// wordEnd returns where the first word of s ends; s is not empty. The words are the matches
// of encoder.py's pattern
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
//
// which together are the whole text.
func wordEnd(s string) int {
	if n := contraction(s); n > 0 {
		return n
	}
	first := 0
	class, n := bpe.Next(s, 0)
	if s[0] == ' ' && len(s) > 1 {
		if after, m := bpe.Next(s, 1); after != bpe.Space {
			first, class, n = 1, after, m // one plain space joins the word behind it
		}
	}
	end := bpe.Run(s, first+n, class)
	if class != bpe.Space || end == len(s) {
		return end
	}
	// \s+(?!\S): white space in front of a word leaves its last rune to that word; one alone stands.
	if last := lastRune(s[:end]); last > 0 {
		return last
	}
	return end
}

// contraction returns the length of 's, 't, 're, 've, 'm, 'll or 'd at the start of s, or 0.
func contraction(s string) int {
	if s[0] != '\'' || len(s) < 2 {
		return 0
	}
	switch s[1] {
	case 's', 't', 'm', 'd':
		return 2
	}
	if len(s) > 2 {
		switch s[1:3] {
		case "re", "ve", "ll":
			return 3
		}
	}
	return 0
}

// lastRune returns where the last rune of white space s starts.
func lastRune(s string) int {
	i := len(s) - 1
	for i > 0 && s[i]&0xc0 == 0x80 {
		i--
	}
	return i
}
