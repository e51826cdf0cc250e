package train

import (
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
)

// runPage is what a run's page shows.
type runPage struct {
	Title   string
	Facts   []fact
	Records []Record
}

// fact is a line of the page's table.
type fact struct{ Name, Value string }

var page = template.Must(template.New("report").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{{.Title}}</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:960px;margin:2em auto;padding:0 1em;color:#222}
h1{font-size:1.4em}h2{font-size:1.1em;margin-top:2em}
table{border-collapse:collapse}td,th{text-align:left;padding:.15em 1.2em .15em 0;vertical-align:top}
svg{width:100%;height:auto}.grid{stroke:#ddd}.raw{stroke:#9bc;fill:none}.mean{stroke:#036;fill:none;stroke-width:2}
.dot{fill:#c40}.val{stroke:#c40;fill:none;stroke-width:2}text{font:12px system-ui,sans-serif;fill:#555}
</style>
<h1>{{.Title}}</h1>
<table>{{range .Facts}}<tr><th>{{.Name}}</th><td>{{.Value}}</td></tr>{{end}}</table>
{{range .Charts}}<h2>{{.Name}}</h2>
{{.SVG}}
{{end}}{{if .Samples}}<h2>Captions at step {{.SampleStep}}</h2>
<table><tr><th>image</th><th>written</th><th>human</th></tr>
{{range .Samples}}<tr><td>{{.Image}}</td><td>{{.Caption}}</td><td>{{.Reference}}</td></tr>
{{end}}</table>{{end}}
</html>
`))

// chart is a curve with its heading.
type chart struct {
	Name string
	SVG  template.HTML
}

// Write writes the page: one HTML file that needs nothing else.
func (r *runPage) Write(w io.Writer) error {
	var loss, lr, valLoss, cider, trained []point
	view := struct {
		*runPage
		Charts     []chart
		Samples    []Sample
		SampleStep int64
	}{runPage: r}
	for _, rec := range r.Records {
		x := float64(rec.Step)
		loss, lr = appendPoint(loss, x, rec.Loss), appendPoint(lr, x, rec.LR)
		valLoss, cider = appendPoint(valLoss, x, rec.ValLoss), appendPoint(cider, x, rec.ValCIDEr)
		trained = appendPoint(trained, x, rec.TrainCIDEr)
		if len(rec.Samples) > 0 {
			view.Samples, view.SampleStep = rec.Samples, rec.Step
		}
	}
	add := func(name string, c curves) {
		if len(c.train)+len(c.val) > 0 {
			view.Charts = append(view.Charts, chart{name, c.svg()})
		}
	}
	add("Loss (validation in red)", curves{train: loss, val: valLoss, smooth: true})
	add("CIDEr (validation in red, images trained on in blue)", curves{train: trained, val: cider})
	add("Learning rate", curves{train: lr})
	if err := page.Execute(w, view); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return nil
}

type point struct{ x, y float64 }

func appendPoint(ps []point, x float64, y *float64) []point {
	if y == nil || !finite(*y) {
		return ps
	}
	return append(ps, point{x, *y})
}

// curves are what one chart shows.
type curves struct {
	train, val []point
	smooth     bool // a mean over the neighbourhood as well
}

// The chart's size, and the room around the curve.
const (
	width, height            = 900.0, 300.0
	left, right, top, bottom = 70.0, 25.0, 10.0, 42.0
	mostPoints               = 900
)

// svg draws the curves.
func (c curves) svg() template.HTML {
	var b strings.Builder
	minX, maxX, minY, maxY := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, ps := range [][]point{c.train, c.val} {
		for _, p := range ps {
			minX, maxX = min(minX, p.x), max(maxX, p.x)
			minY, maxY = min(minY, p.y), max(maxY, p.y)
		}
	}
	if maxX == minX {
		maxX++
	}
	if maxY == minY {
		minY, maxY = minY-0.5*math.Abs(minY), maxY+0.5*math.Abs(maxY)+1e-12
	}
	px := func(x float64) float64 { return left + (x-minX)/(maxX-minX)*(width-left-right) }
	py := func(y float64) float64 { return height - bottom - (y-minY)/(maxY-minY)*(height-top-bottom) }
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img">`, width, height)
	for _, y := range ticks(minY, maxY) {
		fmt.Fprintf(&b, `<line class="grid" x1="%g" x2="%g" y1="%.1f" y2="%.1f"/><text x="%g" y="%.1f" text-anchor="end">%.4g</text>`,
			left, width-right, py(y), py(y), left-6, py(y)+4, y)
	}
	for _, x := range ticks(minX, maxX) {
		fmt.Fprintf(&b, `<text x="%.1f" y="%g" text-anchor="middle">%g</text>`, px(x), height-bottom+18, x)
	}
	fmt.Fprintf(&b, `<text x="%g" y="%g" text-anchor="middle">step</text>`, (left+width-right)/2, height-6)
	line := func(class string, ps []point) {
		if len(ps) < 2 {
			return
		}
		fmt.Fprintf(&b, `<polyline class="%s" points="`, class)
		for _, p := range ps {
			fmt.Fprintf(&b, "%.1f,%.1f ", px(p.x), py(p.y))
		}
		b.WriteString(`"/>`)
	}
	thin := thinned(c.train, mostPoints)
	if c.smooth {
		line("raw", thin)
		line("mean", thinned(c.train, 60))
	} else {
		line("mean", thin)
	}
	line("val", c.val)
	for _, p := range c.val {
		fmt.Fprintf(&b, `<circle class="dot" cx="%.1f" cy="%.1f" r="3"/>`, px(p.x), py(p.y))
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}

// thinned is the means of at most n runs of neighbours.
func thinned(ps []point, n int) []point {
	if len(ps) <= n {
		return ps
	}
	out := make([]point, n)
	for i := range out {
		part := ps[i*len(ps)/n : (i+1)*len(ps)/n]
		for _, p := range part {
			out[i].x += p.x / float64(len(part))
			out[i].y += p.y / float64(len(part))
		}
	}
	return out
}

// ticks are a few round numbers from lo to hi.
func ticks(lo, hi float64) []float64 {
	step := math.Pow(10, math.Floor(math.Log10((hi-lo)/4)))
	for _, m := range []float64{5, 2} {
		if (hi-lo)/(m*step) >= 4 {
			step *= m
			break
		}
	}
	var ts []float64
	for i := math.Ceil(lo / step); i*step <= hi && len(ts) < 20; i++ {
		ts = append(ts, i*step)
	}
	return ts
}
