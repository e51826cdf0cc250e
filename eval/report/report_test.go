package report

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/eval"
	"github.com/clipcap-go/clipcap/eval/score"
)

const nasty = `<script>alert("x")</script> & 'q' ` + "\u2028" + `</td>`

// sample is a small scored run with nocaps' domains and a caption that would break a careless page.
func sample(t *testing.T) *Report {
	t.Helper()
	var pairs []annotation.Pair
	for i, c := range []string{"a dog runs on the grass", nasty, "a red bus", "two cats"} {
		im := &annotation.Image{ID: annotation.ID([]string{"1", "22", "a\"b", "4"}[i]), File: []string{"1.png", "", "", ""}[i], Domain: annotation.Domains[i%2], References: []string{"a dog on grass", "a bus " + nasty}}
		pairs = append(pairs, annotation.Pair{Image: im, Captions: []string{c}})
	}
	o := score.Options{Metrics: []string{"bleu", "rouge", "cider", "diversity"}, Bootstrap: 10}
	r, err := score.New(t.Context(), pairs, o)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := score.Compare(r, r, o)
	if err != nil {
		t.Fatal(err)
	}
	return &Report{r, rows}
}

func TestJSON(t *testing.T) {
	r := sample(t)
	var b bytes.Buffer
	if err := JSON(&b, r); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Corpus     map[string]float64
		Domains    map[string]map[string]float64
		Notes      []string
		Intervals  map[string]eval.Interval
		Comparison map[string]struct{ Results, Compare, Difference, P float64 }
		Diversity  map[string]float64
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if strings.Count(b.String(), "\n") != 1 || len(got.Corpus) != 6 || got.Corpus["CIDEr"] != r.Corpus[5].Value || len(got.Notes) != len(r.Notes) {
		t.Errorf("%s", b.String())
	}
	if len(got.Domains) != 3 || got.Domains["entire"]["Bleu_1"] != r.Corpus[0].Value || got.Domains["near-domain"]["ROUGE_L"] != r.Domains[1].Scores[4].Value {
		t.Errorf("domains %v", got.Domains)
	}
	if got.Intervals["CIDEr"] != *r.Corpus[5].Interval || got.Comparison["CIDEr"].P != 1 || got.Diversity["captions"] != 4 {
		t.Errorf("%+v", got)
	}
}

// Without more asked for there are three keys, whatever was computed.
func TestJSONShape(t *testing.T) {
	var b bytes.Buffer
	if err := JSON(&b, &Report{Run: &score.Run{Corpus: []score.Score{{Name: "CIDEr", Value: 1.0 / 3}, {Name: "SPICE", Value: math.NaN()}}}}); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), `{"corpus":{"CIDEr":0.3333333333333333,"SPICE":null},"domains":{},"notes":[]}`+"\n"; got != want {
		t.Errorf("got %s want %s", got, want)
	}
}

func TestPerImage(t *testing.T) {
	r := sample(t)
	var b bytes.Buffer
	if err := PerImage(&b, r.Run); err != nil {
		t.Fatal(err)
	}
	var got []struct {
		ID      json.RawMessage `json:"image_id"`
		Caption string
		Domain  string
		CIDEr   float64
		Bleu4   float64 `json:"Bleu_4"`
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s", err, b.String())
	}
	if len(got) != 4 || string(got[0].ID) != "1" || string(got[2].ID) != `"a\"b"` || got[1].Caption != nasty || got[3].CIDEr != r.Columns[5].Images[3] || got[0].Domain != "in-domain" {
		t.Errorf("%s", b.String())
	}
}

func TestText(t *testing.T) {
	r := sample(t)
	var b bytes.Buffer
	if err := Text(&b, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"         in        near      entire  95 % interval\n", "\nBleu_1 ", "\nimages                 2           2           4\n", "difference", "note: CIDEr of a domain", "different words"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

// The page needs nothing from elsewhere, and what the files hold cannot become part of it.
func TestHTML(t *testing.T) {
	r := sample(t)
	dir := t.TempDir()
	writePNG(t, filepath.Join(dir, "1.png"), 1000, 500)
	var b bytes.Buffer
	if err := HTML(&b, nasty, r, Thumbnails(dir)); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	if n := strings.Count(text, "<script"); n != 1 || strings.Contains(text, "alert(\"x\")") {
		t.Errorf("%d scripts in the page, or an unescaped caption", n)
	}
	for _, outside := range []string{`src="http`, "href=", "url(", "@import", "//cdn"} {
		if strings.Contains(text, outside) {
			t.Errorf("the page holds %q", outside)
		}
	}
	for _, want := range []string{"&lt;script&gt;", "Best by CIDEr", "Worst by CIDEr", "<svg", `<img src="data:image/jpeg;base64,`, "aria-sort", "Compared with"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in the page", want)
		}
	}
	if n := strings.Count(text, "<tr><td>"); n != 4 {
		t.Errorf("%d images in the table, want 4", n)
	}
	if n := strings.Count(text, "<article>"); n != 4 {
		t.Errorf("%d cards, want 4: no image is both best and worst", n)
	}
	if regexp.MustCompile(`[>" ]NaN|[>" ][+-]?Inf|%!`).MatchString(text) {
		t.Error("the page holds a number that is none or a failed format")
	}
}

// A run with no metric and no image still makes a page.
func TestHTMLOfNothing(t *testing.T) {
	if err := HTML(io.Discard, "x", &Report{Run: new(score.Run)}, nil); err != nil {
		t.Error(err)
	}
}

func TestHistogram(t *testing.T) {
	h := newHistogram("x", []float64{0, 0.1, 3, 3, math.NaN()})
	total := 0
	for _, b := range h.Bars {
		total += b.Count
	}
	if total != 4 || h.Low != 0 || h.High != 3 || h.Bars[0].Count != 1 || h.Bars[bins-1].Count != 2 || h.Highest != 2 || math.Abs(h.Mean-6.1/4) > 1e-12 {
		t.Errorf("%+v", h)
	}
	if h := newHistogram("x", []float64{0, 0}); h.High != 1 || h.Bars[0].Count != 2 {
		t.Errorf("all zero: %+v", h)
	}
	if h := newHistogram("x", []float64{-1}); h.Low != -1 || h.Bars[0].Count != 1 {
		t.Errorf("negative: %+v", h)
	}
	if h := newHistogram("x", nil); len(h.Bars) != 0 {
		t.Errorf("none: %+v", h)
	}
}

func writePNG(t *testing.T, path string, w, h int) {
	t.Helper()
	im := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range im.Pix {
		im.Pix[i] = uint8(i)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, im); err != nil {
		t.Fatal(err)
	}
}

func TestThumbnail(t *testing.T) {
	dir := t.TempDir()
	writePNG(t, filepath.Join(dir, "7.png"), 1, 1)
	if err := os.WriteFile(filepath.Join(dir, "8.jpg"), []byte("no image"), 0o644); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[annotation.ID]bool{"7": true, "8": false, "9": false, "../" + annotation.ID(filepath.Base(dir)) + "/7": false} {
		if got := Thumbnails(dir)(annotation.Pair{Image: &annotation.Image{ID: id}}); (got != "") != want {
			t.Errorf("%s: %.30q", id, got)
		}
	}
	src := image.NewGray(image.Rect(3, 4, 3+577, 4+3)) // not at the origin, odd, and thin
	for i := range src.Pix {
		src.Pix[i] = 200
	}
	small := shrink(src, 288)
	if b := small.Bounds(); b.Dx() != 288 || b.Dy() != 1 || small.At(5, 0) != (color.RGBA{200, 200, 200, 255}) {
		t.Errorf("%v, %v", b, small.At(5, 0))
	}
}
