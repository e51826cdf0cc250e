package eval

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/eval/internal/space"
)

// randomImages makes images whose captions share words, some of them empty or with a no-break space inside a token.
func randomImages(n int, seed uint64) []Image {
	rng := rand.New(rand.NewPCG(seed, 1))
	words := strings.Fields("a a a the on man dog red bus rides big 10\u00A01/2 -lrb- sits two")
	caption := func() string {
		var w []string
		for range rng.IntN(9) {
			w = append(w, words[rng.IntN(len(words))])
		}
		return strings.Join(w, " ")
	}
	images := make([]Image, n)
	for i := range images {
		images[i].Candidate = caption()
		for range 1 + rng.IntN(5) {
			images[i].References = append(images[i].References, caption())
		}
	}
	return images
}

// all computes every metric of each image.
func all(images []Image) (bleu []BLEUStats, rouge, cider []float64) {
	c := NewCorpus(images)
	return c.BLEU(), c.ROUGE(), c.CIDEr()
}

// Other orders of the images and other numbers of processors give each image the same scores.
func TestOrderAndThreads(t *testing.T) {
	for _, n := range []int{0, 1, 2, 63, 64, 65, 331} {
		images := randomImages(n, uint64(n))
		bleu, rouge, cider := all(images)
		order := rand.New(rand.NewPCG(7, 7)).Perm(n)
		shuffled := make([]Image, n)
		for k, i := range order {
			shuffled[k] = images[i]
		}
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(5))
		gotBLEU, gotROUGE, gotCIDEr := all(shuffled)
		for k, i := range order {
			if gotBLEU[k] != bleu[i] || gotROUGE[k] != rouge[i] || gotCIDEr[k] != cider[i] {
				t.Fatalf("%d images: image %d scores otherwise in another order", n, i)
			}
		}
		if math.Abs(Mean(gotCIDEr)-Mean(cider)) > 1e-12 {
			t.Errorf("%d images: the corpus CIDEr depends on the order: %v, %v", n, Mean(gotCIDEr), Mean(cider))
		}
	}
}

// BLEU of "the the the cat" against two references by hand.
func TestBLEUByHand(t *testing.T) {
	s := NewCorpus([]Image{{"the the the cat", []string{"the cat sat the end", "a cat on the mat the"}}}).BLEU()[0]
	want := BLEUStats{Candidate: 4, Reference: 5, Guess: [4]int{4, 3, 2, 1}, Correct: [4]int{3, 1, 0, 0}}
	if s != want {
		t.Errorf("got %+v, want %+v", s, want)
	}
	score := s.Score()
	brevity := math.Exp(1 - 5.0/4)
	if math.Abs(score[0]-0.75*brevity) > 1e-8 || math.Abs(score[1]-math.Sqrt(0.75/3)*brevity) > 1e-8 || score[3] > 1e-3 {
		t.Errorf("scores %v", score)
	}
}

func TestBLEUEdges(t *testing.T) {
	for _, c := range []struct {
		im        Image
		reference int
		first     float64
	}{
		{Image{"", []string{"a b"}}, 2, 0},
		{Image{"a b c", []string{"a b", "a b c d"}}, 2, 1},   // of two as near, the shorter
		{Image{"10\u00A01/2 a", []string{"10 1/2 a"}}, 3, 1}, // a no-break space splits
		{Image{"a b c d e", []string{"a b c d e"}}, 5, 1},    // just below
		{Image{"x", []string{"y"}}, 1, 0},
	} {
		s := NewCorpus([]Image{c.im}).BLEU()[0]
		if s.Reference != c.reference || math.Abs(s.Score()[0]-c.first) > 1e-6 {
			t.Errorf("%+v: %+v, BLEU-1 %v", c.im, s, s.Score()[0])
		}
	}
	if s := (BLEUStats{Candidate: 9, Reference: 9, Guess: [4]int{9, 8, 7, 6}, Correct: [4]int{9, 8, 7, 6}}).Score(); s[3] >= 1 {
		t.Errorf("a perfect corpus scores %v, want just below 1", s[3])
	}
}

func TestROUGE(t *testing.T) {
	f := func(p, r float64) float64 { return (1 + 1.44) * p * r / (r + 1.44*p) }
	for _, c := range []struct {
		im   Image
		want float64
	}{
		{Image{"a b c", []string{"a b c"}}, 1},
		{Image{"a c b d", []string{"a b c d e"}}, f(3.0/4, 3.0/5)},
		{Image{"a b", []string{"a b c d", "a"}}, f(1, 1)}, // precision from one reference, recall from the other
		{Image{"", []string{""}}, 1},                      // an empty text is one empty word
		{Image{"", []string{"a"}}, 0},
		{Image{"10\u00A01/2", []string{"10 1/2"}}, 0}, // a no-break space does not split
	} {
		if got := NewCorpus([]Image{c.im}).ROUGE()[0]; math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%+v: %v, want %v", c.im, got, c.want)
		}
	}
}

// CIDEr against the formula with maps and strings in place of numbers.
func TestCIDErAgainstFormula(t *testing.T) {
	for _, n := range []int{1, 2, 17, 130} {
		images := randomImages(n, uint64(100+n))
		got := NewCorpus(images).CIDEr()
		want := plainCIDEr(images)
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-12 {
				t.Fatalf("%d images: image %d: %v, want %v", n, i, got[i], want[i])
			}
		}
	}
}

func plainCIDEr(images []Image) []float64 {
	grams := func(s string, n int) map[string]float64 {
		out, w := map[string]float64{}, strings.FieldsFunc(s, space.Python)
		for i := 0; i+n <= len(w); i++ {
			out[strings.Join(w[i:i+n], "\x00")]++
		}
		return out
	}
	df := map[string]float64{}
	for _, im := range images {
		seen := map[string]bool{}
		for _, r := range im.References {
			for n := 1; n <= 4; n++ {
				for g := range grams(r, n) {
					seen[g] = true
				}
			}
		}
		for g := range seen {
			df[g]++
		}
	}
	weigh := func(g map[string]float64) (norm float64) {
		for k, v := range g {
			g[k] = v * (math.Log(float64(len(images))) - math.Log(max(1, df[k])))
			norm += g[k] * g[k]
		}
		return math.Sqrt(norm)
	}
	var scores []float64
	for _, im := range images {
		total := 0.0
		for _, r := range im.References {
			delta := math.Max(0, float64(len(strings.FieldsFunc(im.Candidate, space.Python))-1)) - math.Max(0, float64(len(strings.FieldsFunc(r, space.Python))-1))
			for n := 1; n <= 4; n++ {
				a, b := grams(im.Candidate, n), grams(r, n)
				na, nb := weigh(a), weigh(b)
				dot := 0.0
				for g, v := range a {
					dot += min(v, b[g]) * b[g]
				}
				if na != 0 && nb != 0 {
					dot /= na * nb
				}
				total += dot * math.Exp(-delta*delta/72) / 4
			}
		}
		scores = append(scores, 10*total/float64(len(im.References)))
	}
	return scores
}

func TestMeanIsPairwise(t *testing.T) {
	for _, n := range []int{0, 1, 7, 8, 9, 127, 128, 129, 1000, 4096} {
		x := make([]float64, n)
		for i := range x {
			x[i] = float64(i%13) / 7
		}
		sum := 0.0
		for _, v := range x {
			sum += v
		}
		if want := sum / float64(max(1, n)); math.Abs(Mean(x)-want) > 1e-13 {
			t.Errorf("mean of %d: %v, want about %v", n, Mean(x), want)
		}
	}
	// NumPy's order: eight running sums, so 1 and -1 far apart do not meet 1e16 one after the other.
	x := []float64{1e16, 1, -1e16, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0}
	if got, want := Mean(x)*16, ((1e16+0+(1+1))+(-1e16+0+(1+1)))+0.0; got != want {
		t.Errorf("sum %v, want %v as numpy.sum gives", got, want)
	}
}

func TestPythonSpace(t *testing.T) {
	var got []rune
	for r := rune(0); r < 0x10000; r++ {
		if space.Python(r) {
			got = append(got, r)
		}
	}
	want := []rune("\t\n\v\f\r\x1c\x1d\x1e\x1f \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000")
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for text, want := range map[string]bool{"a b": false, "a  b": true, " a": true, "a ": true, "": true, "a\u00A0b": true, "a": false} {
		if needsSplit(text) != want {
			t.Errorf("needsSplit(%q) = %t", text, !want)
		}
	}
}

func TestDiversity(t *testing.T) {
	d := MeasureDiversity([][]string{{"a dog", "a dog", "the dog runs"}, {"a dog"}, {""}})
	if d.Captions != 5 || d.Vocabulary != 4 || d.MeanLength != 9.0/5 || d.Distinct != 3.0/5 || d.Div1 != 4.0/9 || d.Div2 != 3.0/9 || d.Samples != 1 {
		t.Errorf("%+v", d)
	}
	if d.ImageDiv1 != 4.0/7 || d.MutualBLEU4 <= 0 {
		t.Errorf("%+v", d)
	}
	if d := MeasureDiversity(nil); d != (Diversity{}) {
		t.Errorf("of nothing: %+v", d)
	}
	if n := Novel([]string{"a", "b", "c", "a"}, []string{"a", "x"}); n != 0.5 {
		t.Errorf("novel: %v", n)
	}
}
