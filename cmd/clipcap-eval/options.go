package main

import (
	"context"
	"flag"
	"io"
	"slices"
	"strings"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/eval/score"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/internal/cli"
	"github.com/clipcap-go/clipcap/nn"
)

// options are the command line.
type options struct {
	annotations, results                string
	dataset, split                      string
	csvQuotes                           bool
	metrics                             string
	meteor, spice, meteorCheck          string
	clip, clipVocab, images, activation string
	training                            string
	df                                  string
	bootstrap                           int
	seed                                uint64
	subset, sanitize                    bool
	compare                             string
	json                                bool
	perImage, html, submission          string
	tokenize                            string

	model, features, gpt2   string // --model and what it works with
	decode, stop            string
	beam, maxTokens         int
	normalize               bool
	precision, device, gemm string
	clipScore               string

	metricList     []string
	submitted      bool // --submission is written
	normalizeGiven bool
}

// setup declares the flags.
func setup(f *flag.FlagSet) cli.Work {
	d := gpt2.DefaultOptions()
	o := &options{df: "domain", decode: string(d.Mode), beam: d.Beam, maxTokens: d.MaxTokens, precision: "high"}
	f.StringVar(&o.annotations, "annotations", "", "`FILE` of human captions")
	f.StringVar(&o.results, "results", "", "`FILE` of the captions to score")
	f.Var(&cli.Choice{To: &o.dataset, From: annotation.Datasets}, "dataset", "what the annotations are, a `NAME`: coco, nocaps or conceptual (default: go by the file)")
	f.StringVar(&o.split, "split", "", "split of Karpathy's file, a `NAME` or several with commas: train, restval, val, test (default test)")
	f.BoolVar(&o.csvQuotes, "csv-quotes", false, "Conceptual Captions: a leading \" quotes a field over tabs and line ends, as Python's csv reads it")
	f.StringVar(&o.metrics, "metrics", strings.Join(score.Default, ","), "`LIST` of metrics to compute; there are also clipscore and diversity")
	f.StringVar(&o.meteor, "meteor", "", "`DIR` of METEOR 1.5: pycocoevalcap's meteor folder, a METEOR checkout, or the jar")
	f.StringVar(&o.spice, "spice", "", "`DIR` of the official spice-1.0.jar, which is run with Java")
	f.StringVar(&o.meteorCheck, "meteor-check", "", "compare METEOR's statistics with those of this `JAR`, run with Java on the same captions")
	f.StringVar(&o.model, "model", "", "`CHECKPOINT`, .pt file of the original or preset to caption the images with first, in place of --results")
	f.StringVar(&o.features, "features", "", "`SET` of features to caption, in place of --images")
	f.StringVar(&o.gpt2, "gpt2", "", "language `MODEL`, where the checkpoint holds none; else its configuration and vocabulary")
	cli.OneOf(f, &o.decode, "decode", "how --model chooses words", "beam", "greedy", "sample")
	f.IntVar(&o.beam, "beam", o.beam, "width of --model's beam search; passed over by other decodings")
	f.IntVar(&o.maxTokens, "max-tokens", o.maxTokens, "most tokens of --model's captions")
	f.StringVar(&o.stop, "stop", ".", "token that ends --model's captions: an id, or a text whose first token it is")
	f.BoolVar(&o.normalize, "normalize", false, "divide features by their length, for .pt files trained so (default: what the checkpoint or preset says)")
	cli.Device(f, &o.device, &o.gemm)
	cli.OneOf(f, &o.precision, "precision", "precision of --model's products", "float32", "high", "bfloat16")
	f.StringVar(&o.clip, "clip", "", "image encoder, a CLIP `MODEL`: --model's (default: the one it names), and CLIPScore's")
	f.StringVar(&o.clipScore, "clipscore", "", "`MODEL` for CLIPScore and RefCLIPScore (default: --clip); published scores are of ViT-B/32")
	f.StringVar(&o.clipVocab, "clip-vocab", "", "CLIP's `FILE` bpe_simple_vocab_16e6.txt.gz (default: beside the model, or as fetched)")
	cli.OneOf(f, &o.activation, "activation", "activation of a CLIP file that does not tell its own", "gelu", "quickgelu")
	f.StringVar(&o.images, "images", "", "`DIR` of the images, for --model, CLIPScore and the report's pictures")
	f.StringVar(&o.training, "training", "", "`FILE` of the training captions: diversity then counts the captions that are not among them")
	cli.OneOf(f, &o.df, "df", "nocaps: the images that CIDEr's document frequency of a domain comes from", "domain", "all")
	f.IntVar(&o.bootstrap, "bootstrap", 0, "resamples of the images for 95 % confidence intervals (with --compare, default 1000)")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the resamples, and of samples and random models")
	f.BoolVar(&o.subset, "subset", false, "score only the images that have a result (CIDEr's weights then come from these)")
	f.BoolVar(&o.sanitize, "sanitize", false, "turn line separators inside captions into spaces instead of refusing them")
	f.StringVar(&o.compare, "compare", "", "`FILE` of another system's captions: say by paired bootstrap whether the two differ")
	f.BoolVar(&o.json, "json", false, "print the scores as JSON")
	f.StringVar(&o.perImage, "per-image", "", "write each image's scores to a JSON `FILE`")
	f.StringVar(&o.html, "html", "", "write a report to look at to `FILE`")
	f.StringVar(&o.submission, "submission", "", "write the results as EvalAI takes them to `FILE`.json, as the COCO server does to FILE.zip; needs no human captions")
	f.StringVar(&o.tokenize, "tokenize", "", "`FILE` with a caption a line: print its PTB tokens, a line each, as the scorer sees them")
	return func(ctx context.Context, _ []string, stdout, stderr io.Writer) error {
		if o.tokenize != "" {
			if o.annotations != "" || o.results != "" || o.model != "" {
				return cli.Misusef("--tokenize stands alone: it scores nothing")
			}
			return tokenize(o.tokenize, stdout)
		}
		if err := o.check(func(name string) bool { return cli.Given(f)[name] }); err != nil {
			return err
		}
		if err := o.idle(f); err != nil {
			return err
		}
		err := o.evaluate(ctx, stdout, stderr)
		if o.submitted {
			return cli.Interrupted(err, "; %s was written, and no scores", o.submission)
		}
		return cli.Interrupted(err, "; nothing was written")
	}
}

// wishedClip is the CLIP that was named for CLIPScore; beside --model, --clip alone is the model's.
func (o *options) wishedClip() string {
	if o.model != "" {
		return o.clipScore
	}
	return o.scoreClip()
}

// scores tells whether CLIPScore is to be computed.
func (o *options) scores() bool {
	return o.wishedClip() != "" || o.scoreClip() != "" && strings.Contains(o.metrics, "clipscore")
}

// decoding is how --model writes captions.
func (o *options) decoding() gpt2.Options {
	d := gpt2.DefaultOptions()
	d.Mode, d.Beam, d.MaxTokens, d.Seed = gpt2.Mode(o.decode), o.beam, o.maxTokens, o.seed
	return d
}

// check refuses contradictions and unknown values before any work.
func (o *options) check(given func(string) bool) error {
	switch {
	case o.annotations == "":
		return cli.Misusef("--annotations is missing")
	case o.results == "" && o.model == "":
		return cli.Misusef("--results is missing, or --model to caption with")
	case o.results != "" && o.model != "":
		return cli.Misusef("--results and --model: score a file or caption first, not both")
	case o.model == "" && o.features != "":
		return cli.Misusef("--features is for --model")
	case o.model != "" && (o.images == "") == (o.features == ""):
		return cli.Misusef("--model wants one of --images and --features to caption")
	case o.bootstrap < 0 || o.bootstrap > 1e6:
		return cli.Misusef("--bootstrap %d: want 0 to 1000000", o.bootstrap)
	case o.model != "" && o.features != "" && o.clip != "" && o.clipScore == "":
		return cli.Misusef("--clip is for images; --features need no encoder")
	case o.scores() && o.images == "":
		return cli.Misusef("CLIPScore compares captions with images: --images is missing")
	case o.meteorCheck != "" && o.meteor == "":
		return cli.Misusef("--meteor-check needs --meteor: it compares the two")
	}
	o.normalizeGiven = given("normalize")
	if err := annotation.CheckSplits(o.split); err != nil {
		return cli.Misusef("--split: %w", err)
	}
	if err := o.decoding().Check(); err != nil {
		return cli.Misusef("%w", err)
	}
	if _, err := nn.ParseGemm(o.device, o.gemm); err != nil {
		return cli.Misusef("--%w", err)
	}
	for m := range strings.SplitSeq(o.metrics, ",") {
		m = strings.ToLower(strings.TrimSpace(m))
		if !slices.Contains(score.Metrics, m) {
			return cli.Misusef("--metrics: unknown metric %q, want a list of %s", m, strings.Join(score.Metrics, ", "))
		}
		o.metricList = append(o.metricList, m)
	}
	// A means whose metric was not asked for by name is a wish for that metric.
	for _, m := range []struct {
		flag   string
		metric string
	}{{o.meteor, "meteor"}, {o.spice, "spice"}, {o.wishedClip(), "clipscore"}, {o.training, "diversity"}} {
		if m.flag == "" || slices.Contains(o.metricList, m.metric) {
			continue
		}
		if given("metrics") {
			return cli.Misusef("--metrics does not have %s, which another flag is for", m.metric)
		}
		o.metricList = append(o.metricList, m.metric)
	}
	if o.compare != "" && o.bootstrap == 0 {
		if given("bootstrap") {
			return cli.Misusef("--bootstrap 0: --compare needs resamples")
		}
		o.bootstrap = 1000
	}
	return nil
}

// idle refuses flags that would do nothing.
func (o *options) idle(f *flag.FlagSet) error {
	if o.model == "" {
		if err := cli.Idle(f, "results", "gpt2", "decode", "beam", "max-tokens", "stop", "normalize", "precision"); err != nil {
			return err
		}
	}
	sampled := o.model != "" && o.decoding().Mode == gpt2.Sample
	random := func(name string) bool { return strings.HasPrefix(name, "random:") }
	if cli.Given(f)["seed"] && o.bootstrap == 0 && !sampled && !random(o.clip) && !random(o.gpt2) {
		return cli.Misusef("--seed has no effect without --bootstrap, --compare or --model with --decode sample")
	}
	return nil
}
