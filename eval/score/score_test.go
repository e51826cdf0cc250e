package score

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/eval"
)

// pairs makes n images of nocaps' domains with captions of few words.
func pairs(n int, seed uint64) []annotation.Pair {
	rng := rand.New(rand.NewPCG(seed, 0))
	words := strings.Fields("A dog the cat rides on in red bus two")
	caption := func() string {
		var w []string
		for range 2 + rng.IntN(7) {
			w = append(w, words[rng.IntN(len(words))])
		}
		return strings.Join(w, " ") + " now"
	}
	var out []annotation.Pair
	for i := range n {
		im := &annotation.Image{ID: annotation.ID(fmt.Sprint(i)), Domain: annotation.Domains[i%3], References: []string{caption(), caption()}}
		out = append(out, annotation.Pair{Image: im, Captions: []string{caption()}})
	}
	return out
}

func run(t *testing.T, p []annotation.Pair, o Options) *Run {
	t.Helper()
	r, err := New(t.Context(), p, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func value(t *testing.T, scores []Score, name string) float64 {
	t.Helper()
	for _, s := range scores {
		if s.Name == name {
			return s.Value
		}
	}
	t.Fatalf("no %s in %v", name, scores)
	return 0
}

var plain = Options{Metrics: []string{"bleu", "rouge", "cider"}}

// A domain scores as its images do in a file of their own; with --df=all its CIDEr is the mean of the whole run's.
func TestDomains(t *testing.T) {
	p := pairs(50, 1)
	r, wide := run(t, p, plain), run(t, p, Options{Metrics: plain.Metrics, DFAll: true})
	if len(r.Domains) != 3 || len(r.Corpus) != 6 {
		t.Fatalf("%d domains, %d scores", len(r.Domains), len(r.Corpus))
	}
	for k, d := range r.Domains {
		var own []annotation.Pair
		sum := 0.0
		for _, i := range d.Images {
			own = append(own, p[i])
			sum += wide.Columns[5].Images[i]
		}
		alone := run(t, own, plain)
		for j, s := range alone.Corpus {
			if math.Abs(s.Value-d.Scores[j].Value) > 1e-12 {
				t.Errorf("%s: %s is %v among others, %v alone", d.Name, s.Name, d.Scores[j].Value, s.Value)
			}
		}
		if got := value(t, wide.Domains[k].Scores, "CIDEr"); math.Abs(got-sum/float64(len(own))) > 1e-12 || got == value(t, d.Scores, "CIDEr") {
			t.Errorf("%s: CIDEr with document frequency from all images: %v", d.Name, got)
		}
	}
	if !strings.Contains(r.Notes[0], "domain's own") || !strings.Contains(wide.Notes[0], "all 50 images") {
		t.Errorf("notes %q, %q", r.Notes, wide.Notes)
	}
}

// What cannot be computed is left out and named; so are empty captions.
func TestNotes(t *testing.T) {
	p := pairs(1, 2)
	p[0].Captions[0] = " . "
	r := run(t, p, Options{Metrics: Metrics})
	for _, want := range []string{"1 caption has no word", "METEOR not computed", "SPICE not computed", "CLIPScore not computed", "CIDEr of a single image"} {
		if !strings.Contains(strings.Join(r.Notes, "\n"), want) {
			t.Errorf("no note %q in %q", want, r.Notes)
		}
	}
	for _, s := range r.Corpus {
		if s.Name == "METEOR" || s.Name == "SPICE" || s.Value > 1e-6 {
			t.Errorf("%+v", s)
		}
	}
	if r.Diversity == nil || r.Diversity.Captions != 1 {
		t.Errorf("diversity %+v", r.Diversity)
	}
}

// Threads change nothing, not even the intervals.
func TestThreads(t *testing.T) {
	o := Options{Metrics: plain.Metrics, Bootstrap: 50, Seed: 9}
	p := pairs(200, 3)
	want := run(t, p, o)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	got := run(t, p, o)
	for k, s := range want.Corpus {
		if got.Corpus[k].Value != s.Value || *got.Corpus[k].Interval != *s.Interval {
			t.Errorf("%s: %+v with one processor, %+v with several", s.Name, got.Corpus[k], s)
		}
		if !(s.Interval.Low <= s.Value && s.Value <= s.Interval.High) {
			t.Errorf("%s: %v outside of %v", s.Name, s.Value, *s.Interval)
		}
	}
}

func TestCompare(t *testing.T) {
	p, q := pairs(80, 4), pairs(80, 4)
	for i := range q {
		q[i].Captions = []string{q[i].References[0]} // the second system knows a reference
	}
	o := Options{Metrics: plain.Metrics, Bootstrap: 100, Seed: 1}
	a, b := run(t, p, o), run(t, q, o)
	rows, err := Compare(a, b, o)
	if err != nil || len(rows) != 6 {
		t.Fatalf("%v, %v", rows, err)
	}
	for _, c := range rows {
		if c.First >= c.Second || math.Abs(c.Value-(c.First-c.Second)) > 1e-12 || c.P > 0.05 || c.Interval.High >= 0 {
			t.Errorf("%+v", c)
		}
	}
	if _, err := Compare(a, run(t, q[:79], o), o); err == nil {
		t.Error("other numbers of images: no error")
	}
	q[3].Image = &annotation.Image{ID: "other", References: []string{"a"}}
	if _, err := Compare(a, run(t, q, o), o); err == nil || !strings.Contains(err.Error(), "other") {
		t.Errorf("other images: %v", err)
	}
}

// axes is an Embedder whose features are words' first letters.
type axes struct{ fail bool }

func (a axes) Images(_ context.Context, p []annotation.Pair) ([][]float32, error) {
	var out [][]float32
	for range p {
		out = append(out, []float32{1, 0})
	}
	if a.fail {
		return nil, fmt.Errorf("no image")
	}
	return out, nil
}

func (axes) Texts(_ context.Context, texts []string) ([][]float32, error) {
	var out [][]float32
	for _, t := range texts {
		word, ok := strings.CutPrefix(t, eval.CLIPScorePrompt)
		if !ok {
			return nil, fmt.Errorf("no prompt before %q", t)
		}
		out = append(out, map[byte][]float32{'x': {1, 0}, 'y': {0, 1}, 'z': {1, 1}}[word[0]])
	}
	return out, nil
}

func TestCLIPScore(t *testing.T) {
	p := []annotation.Pair{
		{Image: &annotation.Image{ID: "1", References: []string{"y", "z"}}, Captions: []string{"x"}},
		{Image: &annotation.Image{ID: "2", References: []string{"y"}}, Captions: []string{"z"}},
	}
	r := run(t, p, Options{Metrics: []string{"clipscore"}, Clip: axes{}})
	root := math.Sqrt(0.5)
	own := []float64{2.5, 2.5 * root}
	with := []float64{2 * 2.5 * root / (2.5 + root), 2 * own[1] * root / (own[1] + root)}
	for i := range own {
		if math.Abs(r.Columns[0].Images[i]-own[i]) > 1e-6 || math.Abs(r.Columns[1].Images[i]-with[i]) > 1e-6 {
			t.Errorf("image %d: %v, %v; want %v, %v", i, r.Columns[0].Images[i], r.Columns[1].Images[i], own[i], with[i])
		}
	}
	if _, err := New(t.Context(), p, Options{Metrics: []string{"clipscore"}, Clip: axes{fail: true}}); err == nil {
		t.Error("an image that cannot be read: no error")
	}
}

func TestNoCaption(t *testing.T) {
	for _, pairs := range [][]annotation.Pair{{{Image: &annotation.Image{ID: "1"}}}, {{Captions: []string{"a"}}}} {
		if _, err := New(context.Background(), pairs, Options{Metrics: Default}); err == nil || !strings.Contains(err.Error(), "pair 0") {
			t.Errorf("%+v: %v", pairs, err)
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := New(ctx, pairs(3, 5), plain); err == nil {
		t.Error("no error")
	}
}

// A domain of one image has no CIDEr to speak of, and the report says so.
func TestDomainOfOneImage(t *testing.T) {
	r := run(t, pairs(5, 1), plain) // two, two and one
	said := 0
	for _, n := range r.Notes {
		if strings.Contains(n, "single image") {
			said++
			if !strings.Contains(n, annotation.Domains[2]) {
				t.Errorf("note %q does not name %s", n, annotation.Domains[2])
			}
		}
	}
	if said != 1 || value(t, r.Domains[2].Scores, "CIDEr") != 0 {
		t.Errorf("%d notes of a single image, CIDEr %v: %q", said, r.Domains[2].Scores, r.Notes)
	}
}
