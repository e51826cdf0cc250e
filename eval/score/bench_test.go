package score

import (
	"strconv"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/eval/meteor"
	"github.com/clipcap-go/clipcap/internal/testkit"
)

// benchPairs makes 5,000 images with 5 references each of real captions: the golden ones, and once more with words exchanged so that
// the second half is no repetition of the first.
func benchPairs(b *testing.B) []annotation.Pair {
	var c struct{ Captions []string }
	testkit.GoldenJSON(b, "captions/ptb_captions.json.gz", &c)
	var words []string
	for _, s := range c.Captions {
		words = append(words, strings.Fields(s)...)
	}
	at := 0
	vary := func(s string, every int) string {
		w := strings.Fields(s)
		for i := at % every; i < len(w); i += every {
			at += 7919
			w[i] = words[at%len(words)]
		}
		return strings.Join(w, " ")
	}
	var pairs []annotation.Pair
	for i := range 5000 {
		own := c.Captions[i%2500*5 : i%2500*5+5]
		im := &annotation.Image{ID: annotation.ID(strconv.Itoa(i))}
		for _, s := range own {
			if i >= 2500 {
				s = vary(s, 6)
			}
			im.References = append(im.References, s)
		}
		pairs = append(pairs, annotation.Pair{Image: im, Captions: []string{vary(own[0], 5)}})
	}
	return pairs
}

func BenchmarkRun(b *testing.B) {
	for name, metrics := range map[string][]string{"tokens": nil, "tokens-bleu-rouge-cider": {"bleu", "rouge", "cider"}, "tokens-meteor": {"meteor"}} {
		b.Run(name, func(b *testing.B) {
			pairs := benchPairs(b)
			o := Options{Metrics: metrics}
			for b.Loop() {
				if name == "tokens-meteor" { // the data are read in the time, too
					var err error
					if o.Meteor, err = meteor.Open(testkit.Golden(b, "meteor")); err != nil {
						b.Fatal(err)
					}
				}
				if _, err := New(b.Context(), pairs, o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
