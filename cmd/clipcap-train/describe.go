package main

import (
	"fmt"
	"io"

	"github.com/clipcap-go/clipcap/internal/cli"
	"github.com/clipcap-go/clipcap/internal/plural"
)

// plan is what --dry-run tells.
type plan struct {
	Mapper       string  `json:"mapper"`
	MapperParams int     `json:"mapper_params"`
	LMParams     int     `json:"lm_params"`
	Trained      int     `json:"trained_params"`
	Total        int     `json:"total_params"`
	Captions     int     `json:"captions"`
	Images       int     `json:"images"`
	Missing      int     `json:"captions_without_feature"`
	Cut          int     `json:"captions_cut"`
	Longest      int     `json:"longest_caption"`
	MeanLength   float64 `json:"mean_caption"`
	ValCaptions  int     `json:"val_captions"` // with a feature
	ValImages    int     `json:"val_images"`
	ValMissing   int     `json:"val_captions_without_feature"`
	Feature      int     `json:"feature_width"`
	Steps        int64   `json:"steps"`
	PerEpoch     int64   `json:"steps_per_epoch"`
	Warmup       int64   `json:"warmup"`
	Memory       int64   `json:"memory_bytes"`
	Disk         int64   `json:"checkpoint_bytes"`
}

// describe tells what would be trained.
func (o *options) describe(s *session, w io.Writer) error {
	t, m := s.trainer, s.model
	p := plan{Mapper: string(m.Config.Kind), MapperParams: m.MapperParams().Count(), LMParams: m.LMParams().Count(), Trained: m.Params().Trainable().Count(),
		Total: m.Params().Count(), Captions: s.captions.Len(), Images: s.captions.Join.Images, Missing: s.captions.Join.Missing, Cut: s.captions.Join.Cut,
		Feature: s.features.Dim, Steps: t.Schedule.Total, PerEpoch: t.PerEpoch, Warmup: t.Schedule.Warmup, Memory: t.Memory(), Disk: t.Bytes()}
	p.Longest, p.MeanLength = s.captions.Lengths()
	validation := "none"
	if v := s.valCaptions; v != nil {
		p.ValCaptions, p.ValImages, p.ValMissing = v.Len(), v.Join.Images, v.Join.Missing
		validation = fmt.Sprintf("%d of %s, %d without a feature", p.ValCaptions, plural.Of(p.ValImages, "image"), p.ValMissing)
	}
	if o.json {
		return cli.PrintJSON(w, p)
	}
	million := func(n int) string { return fmt.Sprintf("%.1f M (%d)", float64(n)/1e6, n) }
	_, err := fmt.Fprintf(w, `mapper          %s, %s parameters
language model  %s parameters
trained         %s of %s parameters
captions        %d of %s, %d without a feature, %d cut; %s at most, %.1f on average
validation      %s
features        %s of %s
run             %s, %d an epoch, warm-up %d, batches of %d times %d
memory          %.2f GB
checkpoint      %.2f GB on disk
`, p.Mapper, million(p.MapperParams), million(p.LMParams), million(p.Trained), million(p.Total), p.Captions, plural.Of(p.Images, "image"), p.Missing, p.Cut,
		plural.Of(p.Longest, "token"), p.MeanLength, validation, plural.Of(s.features.Rows(), "row"), plural.Of(p.Feature, "number"), plural.Of(p.Steps, "step"), p.PerEpoch, p.Warmup, o.settings.BatchSize, o.settings.Accumulate, float64(p.Memory)/1e9, float64(p.Disk)/1e9)
	return err
}
