package eval

import (
	"strings"

	"github.com/clipcap-go/clipcap/eval/internal/space"
)

// An Image holds the tokens that one image is scored by: words joined by single spaces, as package ptb writes them.
type Image struct {
	Candidate  string   // the caption to be judged
	References []string // at least one
}

// maxN is the length of the longest n-grams any metric counts.
const maxN = 4

// A Corpus is a run prepared for scoring: words and n-grams are numbers.
type Corpus struct {
	images []image
	grams  int // how many different n-grams there are; they are numbered from 0
}

type image struct {
	candidate  sentence
	references []sentence
}

// A sentence is one caption. The metrics disagree about what a word is: BLEU and CIDEr split at any white space, ROUGE-L at
// single spaces, so a token with a no-break space in it counts as two or as one.
type sentence struct {
	words  int     // split at white space
	spaced []int32 // split at single spaces; never empty
	bags   [maxN]bag
}

// A bag holds the n-grams of a sentence in the order of their first occurrence.
type bag struct {
	gram  []int32
	count []int32
}

// NewCorpus prepares images for scoring. Results are in their order.
func NewCorpus(images []Image) *Corpus {
	in := interner{words: map[string]int32{}, grams: map[uint64]int32{}}
	c := &Corpus{images: make([]image, len(images))}
	for i, im := range images {
		refs := make([]sentence, len(im.References))
		for j, r := range im.References {
			refs[j] = in.sentence(r)
		}
		c.images[i] = image{in.sentence(im.Candidate), refs}
	}
	c.grams = len(in.grams)
	return c
}

// Len returns the number of images.
func (c *Corpus) Len() int { return len(c.images) }

// An interner numbers words and n-grams. An n-gram is known by the number of the (n-1)-gram it begins with and its last word.
type interner struct {
	words map[string]int32
	grams map[uint64]int32
	at    []int32 // gram → 1 + its place in the bag being filled
	split []int32
}

// sentence numbers a caption's words and n-grams.
func (in *interner) sentence(text string) sentence {
	s := sentence{spaced: make([]int32, 0, strings.Count(text, " ")+1)}
	for w := range strings.SplitSeq(text, " ") {
		s.spaced = append(s.spaced, in.word(w))
	}
	words := s.spaced
	if needsSplit(text) {
		in.split = in.split[:0]
		for w := range strings.FieldsFuncSeq(text, space.Python) {
			in.split = append(in.split, in.word(w))
		}
		words = in.split
	}
	s.words = len(words)
	var prefix [maxN]int32 // prefix[n-1]: the n-gram that ended at the previous word
	for i, w := range words {
		next := [maxN]int32{}
		for n := range min(maxN, i+1) {
			before := int32(-1)
			if n > 0 {
				before = prefix[n-1]
			}
			next[n] = in.gram(before, w)
		}
		prefix = next
		for n := range min(maxN, i+1) {
			in.put(&s.bags[n], next[n])
		}
	}
	for n := range s.bags {
		for _, g := range s.bags[n].gram {
			in.at[g] = 0
		}
	}
	return s
}

func (in *interner) word(w string) int32 {
	id, ok := in.words[w]
	if !ok {
		id = int32(len(in.words))
		in.words[w] = id
	}
	return id
}

// gram numbers the n-gram of an (n-1)-gram (-1: none) and a word.
func (in *interner) gram(before, word int32) int32 {
	key := uint64(uint32(before))<<32 | uint64(uint32(word))
	id, ok := in.grams[key]
	if !ok {
		id = int32(len(in.grams))
		in.grams[key] = id
		in.at = append(in.at, 0)
	}
	return id
}

// put counts one occurrence of a gram in b.
func (in *interner) put(b *bag, gram int32) {
	if at := in.at[gram]; at > 0 {
		b.count[at-1]++
		return
	}
	b.gram = append(b.gram, gram)
	b.count = append(b.count, 1)
	in.at[gram] = int32(len(b.gram))
}

// needsSplit reports whether white space splits text otherwise than single spaces do.
func needsSplit(text string) bool {
	before := rune(' ')
	for _, r := range text {
		if r != ' ' && space.Python(r) || r == ' ' && before == ' ' {
			return true
		}
		before = r
	}
	return before == ' '
}
