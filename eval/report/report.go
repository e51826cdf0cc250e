// Package report writes a scored run for people and programs: a table, JSON in full precision, a file of every image's scores.
package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/eval"
	"github.com/clipcap-go/clipcap/eval/score"
)

// values is a JSON object of scores that keeps their order.
type values []score.Score

func (v values) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, s := range v {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:%s", s.Name, strconv.FormatFloat(s.Value, 'g', -1, 64))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// JSON writes {"corpus":{…},"domains":{…},"notes":[…]} and, where they were computed, intervals and diversity.
// Names are the COCO server's.
func JSON(w io.Writer, r *score.Run) error {
	out := struct {
		Corpus    values                   `json:"corpus"`
		Domains   map[string]values        `json:"domains"`
		Images    int                      `json:"images"`
		Intervals map[string]eval.Interval `json:"intervals,omitempty"`
		Diversity *eval.Diversity          `json:"diversity,omitempty"`
		Notes     []string                 `json:"notes"`
	}{r.Corpus, map[string]values{}, len(r.Pairs), map[string]eval.Interval{}, r.Diversity, append([]string{}, r.Notes...)}
	for _, d := range r.Domains {
		out.Domains[d.Name] = d.Scores
	}
	for _, s := range r.Corpus {
		if s.Interval != nil {
			out.Intervals[s.Name] = *s.Interval
		}
	}
	return encode(w, out)
}

// encode writes v as JSON without HTML's escapes.
func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// PerImage writes a list of objects, one a line: an image's id, its caption and its scores.
func PerImage(w io.Writer, r *score.Run) error {
	out := bufio.NewWriter(w)
	for i, p := range r.Pairs {
		if i == 0 {
			out.WriteString("[\n")
		} else {
			out.WriteString(",\n")
		}
		var b bytes.Buffer
		head := struct {
			ID      annotation.ID `json:"image_id"`
			Domain  string        `json:"domain,omitempty"`
			Caption string        `json:"caption"`
		}{p.ID, p.Domain, p.Captions[0]}
		if err := encode(&b, head); err != nil {
			return err
		}
		object := bytes.TrimRight(b.Bytes(), "}\n")
		out.Write(object)
		for _, c := range r.Columns {
			fmt.Fprintf(out, ",%q:%s", c.Name, strconv.FormatFloat(c.Images[i], 'g', -1, 64))
		}
		out.WriteByte('}')
	}
	out.WriteString("\n]\n")
	return out.Flush()
}

// Text writes the table: a row for each metric, a column for each domain and the whole.
func Text(w io.Writer, r *score.Run) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%-10s", "")
	for _, d := range r.Domains {
		fmt.Fprintf(out, " %11s", strings.TrimSuffix(d.Name, "-domain"))
	}
	whole := "score"
	if len(r.Domains) > 0 {
		whole = "entire"
	}
	fmt.Fprintf(out, " %11s", whole)
	intervals := len(r.Corpus) > 0 && r.Corpus[0].Interval != nil
	if intervals {
		fmt.Fprintf(out, "  %s", "95 % interval")
	}
	out.WriteByte('\n')
	for k, s := range r.Corpus {
		fmt.Fprintf(out, "%-10s", s.Name)
		for _, d := range r.Domains {
			fmt.Fprintf(out, " %11.3f", d.Scores[k].Value)
		}
		fmt.Fprintf(out, " %11.3f", s.Value)
		if s.Interval != nil {
			fmt.Fprintf(out, "  %.3f … %.3f", s.Interval.Low, s.Interval.High)
		}
		out.WriteByte('\n')
	}
	fmt.Fprintf(out, "%-10s", "images")
	for _, d := range r.Domains {
		fmt.Fprintf(out, " %11d", len(d.Images))
	}
	fmt.Fprintf(out, " %11d\n", len(r.Pairs))
	if d := r.Diversity; d != nil {
		diversity(out, d)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(out, "note: %s\n", n)
	}
	return out.Flush()
}

func diversity(w io.Writer, d *eval.Diversity) {
	fmt.Fprintf(w, "captions: %.2f words on average, %d different words, %.1f %% different captions, Div-1 %.4f, Div-2 %.4f\n",
		d.MeanLength, d.Vocabulary, 100*d.Distinct, d.Div1, d.Div2)
	if d.Samples > 0 {
		fmt.Fprintf(w, "several captions of an image (%d images): Div-1 %.4f, Div-2 %.4f, mutual BLEU-4 %.4f\n", d.Samples, d.ImageDiv1, d.ImageDiv2, d.MutualBLEU4)
	}
}
