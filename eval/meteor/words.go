package meteor

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/english"
)

// A vocabulary numbers the words of a run and holds what the matchers compare.
type vocabulary struct {
	ids   map[string]int32
	words []word
}

type word struct {
	text     string
	key      int32 // the word, as METEOR compares it
	stem     int32 // its stem, likewise
	function bool
	synsets  []int32 // ascending
}

// id numbers a word; its entry is filled by [vocabulary.fill].
func (v *vocabulary) id(text string) int32 {
	id, ok := v.ids[text]
	if !ok {
		id = int32(len(v.words))
		v.ids[text] = id
		v.words = append(v.words, word{text: text})
	}
	return id
}

// fill looks up every word.
func (v *vocabulary) fill(d *Data) {
	env := snowballstem.NewEnv("")
	for i := range v.words {
		w := &v.words[i]
		env.SetCurrent(w.text)
		english.Stem(env)
		w.key, w.stem = javaHash(w.text), javaHash(env.Current())
		w.function = d.functions[strings.ToLower(w.text)]
		w.synsets = d.synonyms(w.text)
	}
}

// javaHash is Java's String.hashCode. METEOR knows a word by it, so two words of the same hash are the same ("full" and "fun.").
func javaHash(s string) int32 {
	h := int32(0)
	for _, r := range s {
		if r >= 0x10000 {
			high, low := utf16.EncodeRune(r)
			h = 31*(31*h+high) + low
			continue
		}
		h = 31*h + r
	}
	return h
}

// synonyms returns the numbers of the synsets that a word or its base form belongs to, ascending.
func (d *Data) synonyms(text string) []int32 {
	set := appendSynsets(nil, d.synsets[text])
	if bases, ok := d.exceptions[text]; ok {
		for _, b := range bases {
			set = appendSynsets(set, d.synsets[b])
		}
	} else if base, ok := d.baseForm(text); ok {
		set = appendSynsets(set, d.synsets[base])
	}
	slices.Sort(set)
	return slices.Compact(set)
}

func appendSynsets(set []int32, numbers string) []int32 {
	for n := range strings.FieldsSeq(numbers) {
		if v, err := strconv.ParseInt(n, 10, 32); err == nil {
			set = append(set, int32(v))
		}
	}
	return set
}

// endings are WordNet's rules of detachment, nouns' first, then verbs', then adjectives'.
var endings = [][2]string{
	{"s", ""}, {"ses", "s"}, {"xes", "x"}, {"zes", "z"}, {"ches", "ch"}, {"shes", "sh"}, {"men", "man"}, {"ies", "y"},
	{"s", ""}, {"ies", "y"}, {"es", "e"}, {"es", ""}, {"ed", "e"}, {"ed", ""}, {"ing", "e"}, {"ing", ""},
	{"er", ""}, {"est", ""}, {"er", "e"}, {"est", "e"},
}

// baseForm returns the first lemma that taking an ending off a word gives.
func (d *Data) baseForm(text string) (string, bool) {
	if len(text) <= 2 || strings.HasSuffix(text, "ss") {
		return "", false
	}
	for _, e := range endings {
		if stem, ok := strings.CutSuffix(text, e[0]); ok {
			if _, known := d.synsets[stem+e[1]]; known {
				return stem + e[1], true
			}
		}
	}
	return "", false
}

// sharesSynset reports whether two ascending lists have a number in common.
func sharesSynset(a, b []int32) bool {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			return true
		}
	}
	return false
}
