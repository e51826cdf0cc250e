package eval

import (
	"strings"

	"github.com/clipcap-go/clipcap/eval/internal/space"
)

// Diversity says how varied a system's captions are, whatever the references say.
type Diversity struct {
	Captions   int     `json:"captions"`
	MeanLength float64 `json:"mean_length"` // words of a caption
	Vocabulary int     `json:"vocabulary"`  // different words
	Distinct   float64 `json:"distinct"`    // different captions / captions
	// Div1 and Div2 are different words and different bigrams divided by words, over all captions.
	Div1 float64 `json:"div_1"`
	Div2 float64 `json:"div_2"`
	// Of images with several captions: the same ratios within an image, and the BLEU-4 of each caption against its image's others
	// (high: they repeat each other), both averaged over such images.
	Samples     int     `json:"sampled_images,omitempty"`
	ImageDiv1   float64 `json:"image_div_1,omitempty"`
	ImageDiv2   float64 `json:"image_div_2,omitempty"`
	MutualBLEU4 float64 `json:"mutual_bleu_4,omitempty"`
	// Novel is the portion of captions that the training captions do not hold, where those are known; see [Novel].
	Novel *float64 `json:"novel,omitempty"`
}

// MeasureDiversity measures the captions of each image, [images][captions], as tokens: words joined by single spaces.
func MeasureDiversity(images [][]string) Diversity {
	var d Diversity
	captions := map[string]bool{}
	var all counts
	var div1, div2, mutual []float64
	for _, samples := range images {
		var own counts
		for _, s := range samples {
			d.Captions++
			captions[s] = true
			all.add(s)
			own.add(s)
		}
		if len(samples) > 1 {
			a, b := own.ratios()
			div1, div2 = append(div1, a), append(div2, b)
			mutual = append(mutual, mutualBLEU(samples))
		}
	}
	if d.Captions == 0 {
		return d
	}
	d.MeanLength = float64(all.total) / float64(d.Captions)
	d.Vocabulary = len(all.words)
	d.Distinct = float64(len(captions)) / float64(d.Captions)
	d.Div1, d.Div2 = all.ratios()
	d.Samples = len(mutual)
	d.ImageDiv1, d.ImageDiv2, d.MutualBLEU4 = Mean(div1), Mean(div2), Mean(mutual)
	return d
}

// Novel returns the portion, 0 to 1, of captions that are not among the training captions, both as tokens.
func Novel(captions, training []string) float64 {
	if len(captions) == 0 {
		return 0
	}
	known := make(map[string]bool, len(training))
	for _, t := range training {
		known[t] = true
	}
	novel := 0
	for _, c := range captions {
		if !known[c] {
			novel++
		}
	}
	return float64(novel) / float64(len(captions))
}

// counts are the words of some captions and their different n-grams.
type counts struct {
	total   int
	words   map[string]bool
	bigrams map[[2]string]bool
}

func (c *counts) add(caption string) {
	if c.words == nil {
		c.words, c.bigrams = map[string]bool{}, map[[2]string]bool{}
	}
	before := ""
	for i, w := range strings.FieldsFunc(caption, space.Python) {
		c.total++
		c.words[w] = true
		if i > 0 {
			c.bigrams[[2]string{before, w}] = true
		}
		before = w
	}
}

func (c *counts) ratios() (div1, div2 float64) {
	if c.total == 0 {
		return 0, 0
	}
	return float64(len(c.words)) / float64(c.total), float64(len(c.bigrams)) / float64(c.total)
}

// mutualBLEU is the mean BLEU-4 of each caption against the others.
func mutualBLEU(samples []string) float64 {
	images := make([]Image, len(samples))
	for i, s := range samples {
		others := make([]string, 0, len(samples)-1)
		others = append(append(others, samples[:i]...), samples[i+1:]...)
		images[i] = Image{s, others}
	}
	var scores []float64
	for _, s := range NewCorpus(images).BLEU() {
		scores = append(scores, s.Score()[maxN-1])
	}
	return Mean(scores)
}
