package score

import (
	"fmt"

	"github.com/clipcap-go/clipcap/eval"
)

// A Comparison holds one metric of two systems over the same images.
type Comparison struct {
	Name          string
	First, Second float64
	eval.Difference
}

// Compare says by paired bootstrap whether two systems differ; both runs must be over the same images. The draws are those of the
// options' seed.
func Compare(first, second *Run, o Options) ([]Comparison, error) {
	if len(first.Pairs) != len(second.Pairs) {
		return nil, fmt.Errorf("%d and %d images scored: two systems are compared on the same images", len(first.Pairs), len(second.Pairs))
	}
	for i, p := range first.Pairs {
		if q := second.Pairs[i]; p.ID != q.ID {
			return nil, fmt.Errorf("image id %s scored for one system, %s for the other: two systems are compared on the same images", p.ID, q.ID)
		}
	}
	var out []Comparison
	for _, c := range first.Columns {
		for _, d := range second.Columns {
			if c.Name == d.Name {
				all := first.all()
				out = append(out, Comparison{c.Name, c.corpus(all), d.corpus(all), eval.PairedBootstrap(all, o.Bootstrap, o.Seed, c.Pool, d.Pool)})
			}
		}
	}
	return out, nil
}
