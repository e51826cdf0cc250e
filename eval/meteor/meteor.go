// Package meteor computes METEOR 1.5 for English (Denkowski and Lavie 2014) as coco-caption has it from METEOR's own program: options
// -l en -norm, the statistics of all images summed for the corpus score.
//
// Words of a candidate and a reference match if they are the same, have the same stem, share a WordNet synset, or are part of phrases
// that METEOR's table of paraphrases pairs. Of the alignments the matches allow, a beam search takes the one with the most words, then
// the fewest chunks. The data are METEOR's and stay with the user: [Open] reads them where they lie.
package meteor

import (
	"fmt"
	"hash/maphash"
	"sync"

	"github.com/clipcap-go/clipcap/eval/internal/parallel"
)

// MaxWords bounds a caption: every word may match every other, so work and memory grow with the square of the length.
const MaxWords = 1000

// A TooLongError says that a caption of an image, counted from 0, has more than MaxWords words.
type TooLongError struct{ Image, Words int }

// Error says which caption it is and how long.
func (e *TooLongError) Error() string {
	return fmt.Sprintf("meteor: a caption of image %d has %d words, the limit is %d", e.Image, e.Words, MaxWords)
}

// Score returns for each candidate the statistics against the best of its references, of which it needs at least one. Captions are
// tokens as package ptb writes them. The result of an image does not depend on the others.
func (d *Data) Score(candidates []string, references [][]string) ([]Stats, error) {
	if len(candidates) != len(references) {
		return nil, fmt.Errorf("meteor: %d candidates but references of %d images", len(candidates), len(references))
	}
	all, err := d.Stats(candidates, references)
	if err != nil {
		return nil, err
	}
	best := make([]Stats, len(all))
	for i, stats := range all {
		best[i] = stats[bestOf(stats)]
	}
	return best, nil
}

// Stats returns the statistics of each candidate against each of its references.
func (d *Data) Stats(candidates []string, references [][]string) ([][]Stats, error) {
	r, err := d.prepare(candidates, references)
	if err != nil {
		return nil, err
	}
	stats := make([][]Stats, len(r.images))
	parallel.Do(len(r.images), func(next func() (int, int)) {
		a := newAligner(r.vocabulary.words, r.table)
		for from, to := next(); from < to; from, to = next() {
			for i := from; i < to; i++ {
				im := &r.images[i]
				for _, t := range append(im.references, im.candidate) {
					t.hits = r.table.hits(t.words)
				}
				for _, ref := range im.references {
					a.match(im.candidate, ref)
					a.align()
					stats[i] = append(stats[i], a.stats())
				}
			}
		}
	})
	return stats, nil
}

// A run is a set of captions as numbers, with what is known of their words.
type run struct {
	images     []image
	vocabulary *vocabulary
	table      *table
}

type image struct {
	candidate  *text
	references []*text
}

// prepare splits the captions into words, looks the words up and reads the table.
func (d *Data) prepare(candidates []string, references [][]string) (*run, error) {
	split, err := d.split(candidates, references)
	if err != nil {
		return nil, err
	}
	r := &run{images: make([]image, len(candidates)), vocabulary: &vocabulary{ids: map[string]int32{}}}
	number := func(words []string) *text {
		t := &text{words: make([]int32, len(words))}
		for k, w := range words {
			t.words[k] = r.vocabulary.id(w)
		}
		return t
	}
	for i, captions := range split {
		r.images[i].candidate = number(captions[0])
		for _, c := range captions[1:] {
			r.images[i].references = append(r.images[i].references, number(c))
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() { r.vocabulary.fill(d) })
	r.table, err = d.paraphrases(split, r.vocabulary)
	wg.Wait()
	return r, err
}

// split returns the words of each image's candidate and references.
func (d *Data) split(candidates []string, references [][]string) ([][][]string, error) {
	split := make([][][]string, len(candidates))
	errs := make([]error, len(candidates))
	parallel.Do(len(split), func(next func() (int, int)) {
		for from, to := next(); from < to; from, to = next() {
			for i := from; i < to; i++ {
				split[i] = append(split[i], d.normalize(candidates[i]))
				for _, r := range references[i] {
					split[i] = append(split[i], d.normalize(r))
				}
				if len(references[i]) == 0 {
					errs[i] = fmt.Errorf("meteor: candidate %d has no reference", i)
				}
				for _, words := range split[i] {
					if len(words) > MaxWords {
						errs[i] = &TooLongError{i, len(words)}
					}
				}
			}
		}
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return split, nil
}

// paraphrases reads what the captions need of the table.
func (d *Data) paraphrases(split [][][]string, v *vocabulary) (*table, error) {
	if d.Paraphrases == "" {
		t := newTable()
		t.finish()
		return t, nil
	}
	var words [2]int
	for _, captions := range split {
		for k, c := range captions {
			words[min(k, 1)] += len(c)
		}
	}
	seed := maphash.MakeSeed()
	g := &gate{newFilter(words[0], seed), newFilter(words[1], seed)}
	var wg sync.WaitGroup
	wg.Go(func() {
		for _, captions := range split {
			g.candidates.text(captions[0])
		}
	})
	for _, captions := range split {
		for _, c := range captions[1:] {
			g.references.text(c)
		}
	}
	wg.Wait()
	return readTable(d.Paraphrases, g, v)
}
