package report

import (
	_ "embed"
	"html/template"
	"io"
	"slices"

	"github.com/clipcap-go/clipcap/data/annotation"
)

// A Thumbnail returns a small picture of an image as a data: address, "" where there is none.
type Thumbnail func(annotation.Pair) string

// cards is how many of the best and of the worst images are shown with their references.
const cards = 24

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// HTML writes a page that needs nothing beside it: the table, a histogram of each metric's image scores, the best and the worst images
// with their captions and references, and every image's scores, sortable in the browser. Texts from the files are escaped. The images of
// the cards are shown where thumbnail, which may be nil, has them.
func HTML(w io.Writer, title string, r *Report, thumbnail Thumbnail) error {
	p := pageData{Title: title, Report: r, Whole: r.whole()}
	for _, d := range r.Domains {
		p.Domains = append(p.Domains, shortDomain(d.Name))
	}
	for k, s := range r.Corpus {
		row := tableRow{Name: s.Name, Value: s.Value}
		for _, d := range r.Domains {
			row.Domains = append(row.Domains, d.Scores[k].Value)
		}
		if s.Interval != nil {
			row.Low, row.High, p.Intervals = s.Interval.Low, s.Interval.High, true
		}
		p.Rows = append(p.Rows, row)
	}
	for _, c := range r.Columns {
		p.Histograms = append(p.Histograms, newHistogram(c.Name, c.Images))
	}
	for i, pair := range r.Pairs {
		row := imageRow{Pair: pair}
		for _, c := range r.Columns {
			row.Scores = append(row.Scores, c.Images[i])
		}
		p.Images = append(p.Images, row)
	}
	p.rank(r, thumbnail)
	return page.Execute(w, p)
}

type pageData struct {
	Title       string
	Report      *Report
	Whole       string
	Domains     []string
	Rows        []tableRow
	Intervals   bool
	Histograms  []histogram
	RankedBy    string
	Best, Worst []card
	Images      []imageRow
}

type tableRow struct {
	Name             string
	Domains          []float64
	Value, Low, High float64
}

type imageRow struct {
	annotation.Pair
	Scores []float64
}

type card struct {
	imageRow
	Score   float64
	Picture template.URL
}

// rank fills the cards: by CIDEr, or by the last metric there is without it.
func (p *pageData) rank(r *Report, thumbnail Thumbnail) {
	if len(r.Columns) == 0 {
		return
	}
	by := r.Columns[len(r.Columns)-1]
	for _, c := range r.Columns {
		if c.Name == "CIDEr" {
			by = c
		}
	}
	p.RankedBy = by.Name
	order := make([]int, len(r.Pairs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case by.Images[a] > by.Images[b]:
			return -1
		case by.Images[a] < by.Images[b]:
			return 1
		}
		return 0
	})
	show := func(i int) card {
		c := card{imageRow: p.Images[i], Score: by.Images[i]}
		if thumbnail != nil {
			c.Picture = template.URL(thumbnail(c.Pair))
		}
		return c
	}
	n := min(cards, (len(order)+1)/2)
	for _, i := range order[:n] {
		p.Best = append(p.Best, show(i))
	}
	for k := range min(n, len(order)-n) {
		p.Worst = append(p.Worst, show(order[len(order)-1-k]))
	}
}
