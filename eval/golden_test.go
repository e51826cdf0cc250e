package eval

import (
	"math"
	"testing"

	"github.com/clipcap-go/clipcap/eval/ptb"
	"github.com/clipcap-go/clipcap/internal/testkit"
)

// goldenSets are the candidate sets that the reference programs scored.
var goldenSets = []string{"human_first", "other_image", "perturbed", "identical", "edge"}

type goldenSet struct {
	Refs     [][]string
	Cands    []string
	TokRefs  [][]string `json:"tok_refs"`
	TokCands []string   `json:"tok_cands"`
	Corpus   map[string]float64
	Images   struct {
		Bleu1 []float64 `json:"Bleu_1"`
		Bleu2 []float64 `json:"Bleu_2"`
		Bleu3 []float64 `json:"Bleu_3"`
		Bleu4 []float64 `json:"Bleu_4"`
		ROUGE []float64 `json:"ROUGE_L"`
		CIDEr []float64
	}
}

func loadGolden(t testing.TB, name string) (*goldenSet, []Image) {
	var g goldenSet
	testkit.GoldenJSON(t, "captions/scores_"+name+".json.gz", &g)
	images := make([]Image, len(g.Cands))
	for i := range images {
		images[i] = Image{g.TokCands[i], g.TokRefs[i]}
	}
	return &g, images
}

func near(t *testing.T, name string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", name, len(got), len(want))
	}
	worst := 0.0
	for i := range want {
		d := math.Abs(got[i] - want[i])
		if !(d <= tolerance) {
			t.Fatalf("%s: image %d: %v, want %v", name, i, got[i], want[i])
		}
		worst = max(worst, d)
	}
	t.Logf("%s: worst difference %.1e", name, worst)
}

func TestGoldenScores(t *testing.T) {
	for _, name := range goldenSets {
		t.Run(name, func(t *testing.T) {
			g, images := loadGolden(t, name)
			c := NewCorpus(images)
			var sum BLEUStats
			var each [maxN][]float64
			for _, s := range c.BLEU() {
				sum.Add(s, 1)
				for n, v := range s.Score() {
					each[n] = append(each[n], v)
				}
			}
			for n, want := range [][]float64{g.Images.Bleu1, g.Images.Bleu2, g.Images.Bleu3, g.Images.Bleu4} {
				near(t, "BLEU per image", each[n], want, 1e-12)
			}
			bleu := sum.Score()
			near(t, "BLEU", bleu[:], []float64{g.Corpus["Bleu_1"], g.Corpus["Bleu_2"], g.Corpus["Bleu_3"], g.Corpus["Bleu_4"]}, 1e-12)
			rouge, cider := c.ROUGE(), c.CIDEr()
			near(t, "ROUGE-L per image", rouge, g.Images.ROUGE, 1e-12)
			near(t, "CIDEr per image", cider, g.Images.CIDEr, 1e-9)
			near(t, "ROUGE-L, CIDEr", []float64{Mean(rouge), Mean(cider)}, []float64{g.Corpus["ROUGE_L"], g.Corpus["CIDEr"]}, 1e-12)
		})
	}
}

// The tokens of a set are the golden ones when references and candidates are two streams.
func TestGoldenTokens(t *testing.T) {
	for _, name := range goldenSets {
		g, _ := loadGolden(t, name)
		var refs []string
		for _, r := range g.Refs {
			refs = append(refs, r...)
		}
		refs = ptb.Tokenize(refs)
		for i, want := range g.TokRefs {
			for _, w := range want {
				if refs[0] != w {
					t.Fatalf("%s: image %d: %q, want %q", name, i, refs[0], w)
				}
				refs = refs[1:]
			}
		}
		for i, got := range ptb.Tokenize(g.Cands) {
			if got != g.TokCands[i] {
				t.Fatalf("%s: candidate %d: %q, want %q", name, i, got, g.TokCands[i])
			}
		}
	}
}
