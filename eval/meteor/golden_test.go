package meteor

import (
	"math"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
)

// Statistics equal METEOR's own, scores within 1e-12, with the synthetic table and with none.
func TestGoldenMETEOR(t *testing.T) {
	for _, name := range []string{"human_first", "other_image", "perturbed", "identical", "edge"} {
		var g struct {
			TokRefs  [][]string `json:"tok_refs"`
			TokCands []string   `json:"tok_cands"`
			Corpus   map[string]float64
			Images   struct {
				None      []float64 `json:"METEOR_nopara"`
				NoneStats []string  `json:"METEOR_nopara_stats"`
				With      []float64 `json:"METEOR_synthpara"`
				WithStats []string  `json:"METEOR_synthpara_stats"`
			}
		}
		testkit.GoldenJSON(t, "captions/scores_"+name+".json.gz", &g)
		for _, c := range []struct {
			table  string
			scores []float64
			stats  []string
			corpus float64
		}{
			{"", g.Images.None, g.Images.NoneStats, g.Corpus["METEOR_nopara"]},
			{testkit.Golden(t, "meteor/data/paraphrase-en.gz"), g.Images.With, g.Images.WithStats, g.Corpus["METEOR_synthpara"]},
		} {
			d := goldenData(t)
			d.Paraphrases = c.table
			got, err := d.Score(g.TokCands, g.TokRefs)
			if err != nil {
				t.Fatal(err)
			}
			var sum Stats
			worst, wrong := 0.0, 0
			for i, s := range got {
				sum.Add(s)
				want := strings.Fields(c.stats[i])[:23]
				if s.String() != strings.Join(want, " ") {
					if wrong++; wrong < 5 {
						t.Errorf("%s %s: image %d %q\n got %s\nwant %s", name, c.table, i, g.TokCands[i], s.String(), c.stats[i])
					}
				}
				worst = max(worst, math.Abs(s.Score()-c.scores[i]))
			}
			worst = max(worst, math.Abs(sum.Score()-c.corpus))
			t.Logf("%s, table %q: %d of %d statistics differ, worst score difference %.1e", name, c.table, wrong, len(got), worst)
			if wrong > 0 || !(worst <= 1e-12) {
				t.Errorf("%s: %d wrong, worst %g", name, wrong, worst)
			}
		}
	}
}
