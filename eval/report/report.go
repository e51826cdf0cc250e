// Package report writes a scored run for people and programs: a table, JSON in full precision, a file of every image's scores, a page
// to look at, and the files that evaluation servers take.
package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/clipcap-go/clipcap/eval"
	"github.com/clipcap-go/clipcap/eval/score"
	"github.com/clipcap-go/clipcap/internal/plural"
)

// A Report is a run and, where there is one, its comparison with another.
type Report struct {
	*score.Run
	Comparison []score.Comparison
}

// Text writes the table: a row for each metric, a column for each domain and the whole.
func Text(w io.Writer, r *Report) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%-12s", "")
	for _, d := range r.Domains {
		fmt.Fprintf(out, " %11s", shortDomain(d.Name))
	}
	fmt.Fprintf(out, " %11s", r.whole())
	if r.hasIntervals() {
		fmt.Fprintf(out, "  %s", "95 % interval")
	}
	out.WriteByte('\n')
	for k, s := range r.Corpus {
		fmt.Fprintf(out, "%-12s", s.Name)
		for _, d := range r.Domains {
			fmt.Fprintf(out, " %11.3f", d.Scores[k].Value)
		}
		fmt.Fprintf(out, " %11.3f", s.Value)
		if s.Interval != nil {
			fmt.Fprintf(out, "  %.3f … %.3f", s.Interval.Low, s.Interval.High)
		}
		out.WriteByte('\n')
	}
	fmt.Fprintf(out, "%-12s", "images")
	for _, d := range r.Domains {
		fmt.Fprintf(out, " %11d", len(d.Images))
	}
	fmt.Fprintf(out, " %11d\n", len(r.Pairs))
	compared(out, r.Comparison)
	if d := r.Diversity; d != nil {
		diversity(out, d)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(out, "note: %s\n", n)
	}
	return out.Flush()
}

// whole is the heading of the column of all images.
func (r *Report) whole() string {
	if len(r.Domains) > 0 {
		return "entire"
	}
	return "score"
}

func (r *Report) hasIntervals() bool { return len(r.Corpus) > 0 && r.Corpus[0].Interval != nil }

func shortDomain(name string) string { return strings.TrimSuffix(name, "-domain") }

func compared(w io.Writer, rows []score.Comparison) {
	if len(rows) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%-12s %11s %11s %11s  %-17s %s\n", "", "results", "compare", "difference", "95 % interval", "p")
	for _, c := range rows {
		fmt.Fprintf(w, "%-12s %11.3f %11.3f %+11.3f  %+.3f … %+.3f   %.3f\n", c.Name, c.First, c.Second, c.Value, c.Interval.Low, c.Interval.High, c.P)
	}
	fmt.Fprintln(w)
}

func diversity(w io.Writer, d *eval.Diversity) {
	fmt.Fprintf(w, "captions: %.2f words on average, %d different words, %.1f %% different captions, Div-1 %.4f, Div-2 %.4f\n",
		d.MeanLength, d.Vocabulary, 100*d.Distinct, d.Div1, d.Div2)
	if d.Samples > 0 {
		fmt.Fprintf(w, "several captions of an image (%s): Div-1 %.4f, Div-2 %.4f, mutual BLEU-4 %.4f\n", plural.Of(d.Samples, "image"), d.ImageDiv1, d.ImageDiv2, d.MutualBLEU4)
	}
	if d.Novel != nil {
		fmt.Fprintf(w, "%.1f %% of the captions are not among the training captions\n", 100**d.Novel)
	}
}
