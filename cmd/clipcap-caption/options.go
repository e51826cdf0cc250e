package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/clipcap-go/clipcap"
	"github.com/clipcap-go/clipcap/clip"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/internal/cli"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights/fetch"
)

// options are the command line.
type options struct {
	model, clip, gpt2  string
	images, features   string
	decode             string
	precision, weights string
	device, gemm       string
	activation         string
	normalize          bool
	json, showPrefix   bool
	download           bool
	exif               bool
	stop               string

	open clipcap.Options
}

func setup(f *flag.FlagSet) cli.Work {
	o := &options{decode: "beam", precision: "high", weights: "auto", activation: "auto"}
	d := gpt2.DefaultOptions()
	f.StringVar(&o.model, "model", "", "`CHECKPOINT` folder, .pt file of the original, or preset: coco, conceptual, coco-transformer")
	f.StringVar(&o.clip, "clip", "", "image encoder: a file, folder, published name or random:CONFIG.json (default: the one the checkpoint names)")
	f.StringVar(&o.gpt2, "gpt2", "", "language model, where the checkpoint holds none: a file, folder, published name or random:CONFIG.json; else its configuration and vocabulary")
	f.StringVar(&o.images, "images", "", "`SOURCE` of images: a folder, list, TSV, tars, or an .npy of normalised pixels")
	f.StringVar(&o.features, "features", "", "`SET` of features in place of images")
	cli.OneOf(f, &o.decode, "decode", "how words are chosen", "greedy", "beam", "sample")
	f.IntVar(&d.Beam, "beam", d.Beam, "width of the beam search; passed over by the others")
	f.IntVar(&d.N, "n", d.N, "captions for each image: the best beams, or samples")
	f.IntVar(&d.MaxTokens, "max-tokens", d.MaxTokens, "most tokens of a caption")
	f.StringVar(&o.stop, "stop", ".", "token that ends a caption: an id, or a text whose first token it is")
	f.Float64Var(&d.Temperature, "temperature", d.Temperature, "divides the logits; scores are log-probabilities after that")
	f.IntVar(&d.TopK, "top-k", d.TopK, "sample among this many likeliest words (0: all)")
	f.Float64Var(&d.TopP, "top-p", d.TopP, "sample among the fewest words that have this probability together")
	f.Uint64Var(&d.Seed, "seed", d.Seed, "seed of samples and of random models")
	f.Float64Var(&d.LengthPenalty, "length-penalty", d.LengthPenalty, "beams are ranked by log-probability over length to this power")
	f.IntVar(&d.NoRepeat, "no-repeat-ngram", d.NoRepeat, "no run of this many tokens comes twice in a caption (0: any may)")
	f.StringVar(&o.open.Prompt, "prompt", "", "`TEXT` that captions begin with")
	f.IntVar(&d.Batch, "batch", d.Batch, "images captioned at a time; captions do not depend on it")
	cli.OneOf(f, &o.precision, "precision", "precision of CLIP's and the mapper's products", "float32", "high", "bfloat16")
	cli.Device(f, &o.device, &o.gemm)
	cli.OneOf(f, &o.weights, "weights", "how the language model's weights are kept; auto is bfloat16 with --precision bfloat16, else float32", "auto", "float32", "bfloat16", "int8")
	f.BoolVar(&o.normalize, "normalize", false, "divide features by their length, for .pt files trained so (default: what the checkpoint or preset says)")
	cli.OneOf(f, &o.activation, "activation", "activation of CLIP files that do not tell theirs", "auto", "gelu", "quickgelu")
	f.BoolVar(&o.exif, "exif", false, "turn photos as their EXIF orientation says; the original did not")
	f.BoolVar(&o.showPrefix, "show-prefix", false, "print the nearest vocabulary word of each prefix row instead of captions")
	f.BoolVar(&o.download, "download", false, "fetch published models that are not on this machine")
	f.BoolVar(&o.json, "json", false, "print a line of JSON for each image")
	return func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
		o.open.Decode = d
		if err := o.check(f, args); err != nil {
			return err
		}
		if o.download {
			o.open.Locate = func(name string) (string, error) { return download(ctx, name, stderr) }
		}
		return o.run(ctx, args, stdout, stderr)
	}
}

// download is fetch.Locate that brings what is missing.
func download(ctx context.Context, name string, stderr io.Writer) (string, error) {
	path, err := fetch.Locate(name)
	var missing *fetch.Missing
	if !errors.As(err, &missing) {
		return path, err
	}
	f := &fetch.Fetcher{
		Log: func(text string) { fmt.Fprintln(stderr, "clipcap-caption:", text) },
		Progress: func(file string, done, total int64) fetch.Meter {
			bar := cli.NewProgress(stderr, file, total, true)
			bar.Add(done)
			return bar
		},
	}
	return f.Fetch(ctx, missing.Model)
}

// check refuses what contradicts itself before any work, and fills in what opens the model.
func (o *options) check(f *flag.FlagSet, args []string) error {
	sources := 0
	for _, given := range []bool{len(args) > 0, o.images != "", o.features != ""} {
		if given {
			sources++
		}
	}
	switch {
	case o.model == "":
		return cli.Misusef("--model is missing: a checkpoint, or coco, conceptual or coco-transformer")
	case sources != 1:
		return cli.Misusef("want one of: images as arguments, --images, --features")
	case o.features != "" && o.clip != "":
		return cli.Misusef("--clip is for images; --features need no encoder")
	}
	p := &o.open
	p.Decode.Mode = gpt2.Mode(o.decode)
	p.CLIP, p.GPT2, p.FeaturesOnly, p.Seed, p.Stop = o.clip, o.gpt2, o.features != "", p.Decode.Seed, o.stop
	if cli.Given(f)["normalize"] {
		p.Normalize = &o.normalize
	}
	var err error
	if p.Device, err = nn.ParseGemm(o.device, o.gemm); err != nil {
		return cli.Misusef("--%v", err)
	}
	if p.Precision, err = nn.ParsePrecision(o.precision); err != nil {
		return cli.Misusef("--precision: %v", err)
	}
	if o.weights != "auto" {
		if p.Weights, err = clipcap.ParseWeights(o.weights); err != nil {
			return cli.Misusef("--weights: %v", err)
		}
	}
	if o.activation != "auto" {
		p.Activation = clip.Activation(o.activation)
	}
	if err := p.Decode.Check(); err != nil {
		return cli.Misusef("%v", err)
	}
	if err := o.idle(f); err != nil {
		return err
	}
	return cli.NeedFiles("features", o.features)
}

// idle refuses flags that would do nothing. --beam may stand beside any --decode: programs give it to all of them.
func (o *options) idle(f *flag.FlagSet) error {
	if o.features != "" {
		if err := cli.Idle(f, "features", "exif", "activation"); err != nil {
			return err
		}
	}
	var names []string
	if o.open.Decode.Mode != gpt2.Sample {
		names = append(names, "top-k", "top-p")
		if !strings.HasPrefix(o.clip, "random:") && !strings.HasPrefix(o.gpt2, "random:") {
			names = append(names, "seed")
		}
	}
	if o.open.Decode.Mode != gpt2.Beam {
		names = append(names, "length-penalty")
	}
	return cli.Idle(f, "decode", names...)
}
