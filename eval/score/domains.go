package score

import (
	"context"
	"slices"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/eval"
)

// domains scores each domain of nocaps. CIDEr's document frequency is taken inside a domain unless the options say otherwise.
func (r *Run) domains(ctx context.Context, o *Options) {
	for _, name := range annotation.Domains {
		var picks []int
		for i, p := range r.Pairs {
			if p.Domain == name {
				picks = append(picks, i)
			}
		}
		if len(picks) == 0 {
			continue
		}
		columns := slices.Clone(r.Columns)
		for k, c := range columns {
			if c.Name == "CIDEr" && !o.DFAll {
				columns[k] = r.domainCIDEr(picks)
				if len(picks) == 1 {
					r.note("%s has a single image, whose CIDEr is always 0: its n-gram weights come from the domain's other images", name)
				}
			}
		}
		r.Domains = append(r.Domains, Domain{name, picks, scores(ctx, columns, picks, o)})
	}
	if len(r.Domains) == 0 || !o.Wants("cider") {
		return
	}
	if o.DFAll {
		r.note("CIDEr of a domain takes its document frequency from all %d images (--df=all)", len(r.Pairs))
	} else {
		r.note("CIDEr of a domain takes its document frequency from the domain's own images, as scoring a file for each domain does (--df=all takes it from all)")
	}
}

// domainCIDEr is CIDEr with document frequency from some images; the others' scores are left 0.
func (r *Run) domainCIDEr(picks []int) Column {
	images := make([]float64, len(r.Pairs))
	for k, v := range eval.NewCorpus(r.images(picks)).CIDEr() {
		images[picks[k]] = v
	}
	return Column{Name: "CIDEr", Images: images, Pool: eval.MeanPool(images)}
}
