package meteor

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
)

// score is the statistics of one pair.
func one(t *testing.T, d *Data, candidate string, references ...string) Stats {
	t.Helper()
	s, err := d.Score([]string{candidate}, [][]string{references})
	if err != nil {
		t.Fatal(err)
	}
	return s[0]
}

// Each module finds what it is for.
func TestModules(t *testing.T) {
	d := small(t)
	for _, c := range []struct {
		candidate, reference string
		content, function    [modules]int // of the candidate
		chunks               int
	}{
		{"the dog", "the dog", [4]int{1}, [4]int{1}, 1},
		{"dogs run", "dog running", [4]int{0, 2}, [4]int{}, 1},
		{"automobile", "cars", [4]int{0, 0, 1}, [4]int{}, 1},              // cars has car's synsets by its ending
		{"a kid sprint", "a children ran", [4]int{0, 0, 2}, [4]int{1}, 1}, // by the exceptions
		{"before x", "in front of x", [4]int{1, 0, 0, 1}, [4]int{}, 1},
		{"in front of x", "before x", [4]int{1, 0, 0, 2}, [4]int{0, 0, 0, 1}, 1},
		{"full", "fun.", [4]int{}, [4]int{}, 0}, // the dot is split off
		{"males", "man's", [4]int{}, [4]int{}, 0},
		{"x y", "y x", [4]int{2}, [4]int{}, 2},
		{"x", "y", [4]int{}, [4]int{}, 0},
	} {
		s := one(t, d, c.candidate, c.reference)
		if s.Candidate.ContentMatched != c.content || s.Candidate.FunctionMatched != c.function || s.Chunks != c.chunks {
			t.Errorf("%q, %q: %+v", c.candidate, c.reference, s)
		}
	}
}

// METEOR knows words by Java's hash codes, so different words may be the same.
func TestJavaHash(t *testing.T) {
	for s, want := range map[string]int32{"": 0, "a": 97, "full": 3154575, "fun.": 3154575, "polygenelubricants": math.MinInt32, "\U0001F600": 1772899, "é": 233} {
		if got := javaHash(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}

func TestScoreByHand(t *testing.T) {
	d := small(t)
	if got := one(t, d, "the dog runs", "the dog runs").Score(); got != 1 {
		t.Errorf("a perfect match scores %v", got)
	}
	for _, empty := range [][2]string{{"", "a dog"}, {"a dog", ""}, {"", ""}, {"x", "y"}} {
		if got := one(t, d, empty[0], empty[1]).Score(); got != 0 {
			t.Errorf("%q against %q scores %v", empty[0], empty[1], got)
		}
	}
	// "x the" against "x y": one content word of 1 content and 1 function word, and of 2 content words, in one chunk.
	p, r := 0.75/(0.75+0.25), 0.75/1.5
	want := 1 / (0.15/p + 0.85/r) * (1 - 0.6*math.Pow(1.0/1, 0.2))
	if got := one(t, d, "x the", "x y").Score(); math.Abs(got-want) > 1e-15 {
		t.Errorf("%v, want %v", got, want)
	}
	// The best reference, the first of equals.
	if s := one(t, d, "x y", "z", "x z z", "x y z", "z x y"); s.Reference.Words != 3 || s.Chunks != 1 || s.Candidate.total() != 2 {
		t.Errorf("%+v", s)
	}
}

// A corpus of perfect matches is perfect, and one image's chunk is not counted in a sum.
func TestSum(t *testing.T) {
	d := small(t)
	var sum Stats
	for _, s := range []string{"x y z", "the dog", "a"} {
		sum.Add(one(t, d, s, s))
	}
	if sum.Score() != 1 || sum.Chunks != 0 {
		t.Errorf("%v, %d chunks", sum.Score(), sum.Chunks)
	}
	sum.Add(one(t, d, "x y", "y x"))
	if sum.Chunks != 2 || sum.Score() >= 1 {
		t.Errorf("%v, %d chunks", sum.Score(), sum.Chunks)
	}
}

// No image's statistics depend on the others, their order or the number of processors.
func TestOrderAndThreads(t *testing.T) {
	d := small(t)
	rng := rand.New(rand.NewPCG(8, 8))
	words := strings.Fields("a the on in front of before dog car cars auto kid children ran run sprint rides is riding many lot")
	caption := func() string {
		var w []string
		for range rng.IntN(14) {
			w = append(w, words[rng.IntN(len(words))])
		}
		return strings.Join(w, " ")
	}
	var candidates []string
	var references [][]string
	for range 131 {
		candidates, references = append(candidates, caption()), append(references, []string{caption(), caption()})
	}
	want, err := d.Score(candidates, references)
	if err != nil {
		t.Fatal(err)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for k, i := range rng.Perm(len(candidates))[:40] {
		got, err := d.Score([]string{"x", candidates[i]}, [][]string{{"x"}, references[i]})
		if err != nil || got[1] != want[i] {
			t.Fatalf("%d: image %d: %+v among others, %+v by itself, %v", k, i, want[i], got, err)
		}
	}
}

func TestScoreErrors(t *testing.T) {
	d := small(t)
	if _, err := d.Score([]string{"a"}, nil); err == nil {
		t.Error("no references at all: no error")
	}
	if _, err := d.Score([]string{"a", "b"}, [][]string{{"a"}, {}}); err == nil || !strings.Contains(err.Error(), "candidate 1") {
		t.Errorf("no reference: %v", err)
	}
	var long *TooLongError
	if _, err := d.Score([]string{"a", strings.Repeat("a ", MaxWords+1)}, [][]string{{"a"}, {"a"}}); !errors.As(err, &long) || long.Image != 1 || long.Words != MaxWords+1 {
		t.Errorf("a long caption: %v", err)
	}
	if s, err := d.Score(nil, nil); err != nil || len(s) != 0 {
		t.Errorf("nothing: %v, %v", s, err)
	}
	os.Remove(d.Paraphrases)
	if _, err := d.Score([]string{"a"}, [][]string{{"a"}}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the table is gone: %v", err)
	}
}

// The longest captions there may be, every word a match of every other, overflow nothing.
func TestLongestCaptions(t *testing.T) {
	d := small(t)
	s := one(t, d, strings.Repeat("x ", 300), strings.Repeat("x ", 299)+"y")
	if s.Candidate.total() != 299 || s.Chunks != 1 {
		t.Errorf("%d matched in %d chunks", s.Candidate.total(), s.Chunks)
	}
}

func FuzzScore(f *testing.F) {
	d := small(f)
	f.Add("in front of cars", "before the car . . .")
	f.Add("Mr. No. 5 U.S. it's a,b 1,000 --", "\u2018x\u2019 \u00A0 ... ''")
	f.Add("", "\xff")
	f.Fuzz(func(t *testing.T, candidate, reference string) {
		if len(candidate)+len(reference) > 400 {
			return
		}
		stats, err := d.Score([]string{candidate, reference}, [][]string{{reference}, {reference}})
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range stats {
			v := s.Score()
			if !(v >= 0 && v <= 1) || s.Candidate.total() > s.Candidate.Words || s.Reference.total() > s.Reference.Words || s.Chunks > s.Reference.total() {
				t.Fatalf("%v from %+v", v, s)
			}
		}
		if s := stats[1]; s.Candidate.total() != s.Candidate.Words {
			t.Fatalf("a text against itself: %+v", s)
		}
	})
}

func BenchmarkScore(b *testing.B) {
	d := goldenData(b)
	rng := rand.New(rand.NewPCG(1, 1))
	var lemmas []string
	for w := range d.synsets {
		if len(w) < 9 && !strings.Contains(w, "_") && len(lemmas) < 3000 {
			lemmas = append(lemmas, w)
		}
	}
	caption := func() string {
		w := []string{"a"}
		for range 9 {
			w = append(w, lemmas[int(rng.Float64()*rng.Float64()*float64(len(lemmas)))])
		}
		return strings.Join(append(w, "on", "the", fmt.Sprint(rng.IntN(50))), " ")
	}
	var candidates []string
	var references [][]string
	for range 5000 {
		candidates, references = append(candidates, caption()), append(references, []string{caption(), caption(), caption(), caption(), caption()})
	}
	for b.Loop() {
		if _, err := d.Score(candidates, references); err != nil {
			b.Fatal(err)
		}
	}
}
