package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"

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
		fmt.Fprintf(&b, "%q:%s", s.Name, number(s.Value))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// number writes a score in full precision; JSON has no form for what is no number.
func number(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "null"
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// comparison is how a metric of two systems is written.
type comparison struct {
	First  float64 `json:"results"`
	Second float64 `json:"compare"`
	eval.Difference
}

// JSON writes {"corpus":{…},"domains":{…},"notes":[…]} in one line, names as the COCO server has them, and what was asked for besides:
// intervals, diversity, the comparison with another system.
func JSON(w io.Writer, r *Report) error {
	out := struct {
		Corpus     values                   `json:"corpus"`
		Domains    map[string]values        `json:"domains"`
		Notes      []string                 `json:"notes"`
		Intervals  map[string]eval.Interval `json:"intervals,omitempty"`
		Comparison map[string]comparison    `json:"comparison,omitempty"`
		Diversity  *eval.Diversity          `json:"diversity,omitempty"`
	}{values(r.Corpus), map[string]values{}, append([]string{}, r.Notes...), map[string]eval.Interval{}, map[string]comparison{}, r.Diversity}
	for _, d := range r.Domains {
		out.Domains[d.Name] = d.Scores
	}
	if len(r.Domains) > 0 {
		out.Domains["entire"] = values(r.Corpus)
	}
	for _, s := range r.Corpus {
		if s.Interval != nil {
			out.Intervals[s.Name] = *s.Interval
		}
	}
	for _, c := range r.Comparison {
		out.Comparison[c.Name] = comparison{c.First, c.Second, c.Difference}
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
		object := bytes.TrimSuffix(b.Bytes(), []byte("}\n"))
		out.Write(object)
		for _, c := range r.Columns {
			fmt.Fprintf(out, ",%q:%s", c.Name, number(c.Images[i]))
		}
		out.WriteByte('}')
	}
	out.WriteString("\n]\n")
	return out.Flush()
}
