package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/internal/cli"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/train"
)

// options are the command's flags.
type options struct {
	settings train.Settings
	given    map[string]bool // on the command line or by --config
	typed    map[string]bool // on the command line

	features, captions, dataset, split string
	valFeatures, valCaptions, valSplit string
	csvQuotes, addPeriod               bool
	maxTokens                          int
	maxMissing                         float64

	mapper, device, gemm             string
	prefixLength, clipLength, layers int
	gpt2, init                       string
	clipName                         string
	freeze                           string

	warmup, order, keepBest, recipe string
	out, log, export                string
	saveEvery, evalEvery            int64
	patience, samples               int
	valImages, trainImages          int
	valShare                        float64
	resume, overwrite, dryRun, json bool
}

func setup(f *flag.FlagSet) cli.Work {
	o := &options{settings: train.Defaults(), mapper: string(mapping.KindMLP), warmup: strconv.Itoa(train.DefaultWarmup), order: "shuffle"}
	s := &o.settings
	f.StringVar(&o.features, "features", "", "image features: a `SET` (folder, .npy, or pickle of the original)")
	f.StringVar(&o.captions, "captions", "", "`FILE` of captions; without it those of the pickle")
	f.StringVar(&o.out, "out", "", "`DIR` for the checkpoint and the log")
	cli.OneOf(f, &o.dataset, "dataset", "what the captions are, where the file does not show it", annotation.Datasets...)
	f.StringVar(&o.split, "split", "", "`SPLITS` of Karpathy's file, with commas between (default train,restval)")
	f.BoolVar(&o.csvQuotes, "csv-quotes", false, "read quotes in Conceptual Captions as the original did: a field that starts with \" ends at the next")
	f.BoolVar(&o.addPeriod, "add-period", false, "end every caption with a period, so that the model learns to stop")
	f.IntVar(&o.maxTokens, "max-tokens", 0, "cut captions to `N` tokens (default: the original's mean + 10 standard deviations)")
	f.Float64Var(&o.maxMissing, "max-missing", 0, "share of captions that may lack a feature")

	cli.OneOf(f, &o.mapper, "mapper", "mapping network", string(mapping.KindMLP), string(mapping.KindTransformer), string(mapping.KindLinear))
	f.IntVar(&o.prefixLength, "prefix-length", 10, "rows of the prefix")
	f.IntVar(&o.clipLength, "clip-length", 10, "rows the feature becomes (transformer)")
	f.IntVar(&o.layers, "layers", 8, "layers of the mapper (transformer)")
	f.StringVar(&o.gpt2, "gpt2", "gpt2", "language model: a file, a folder, a published `NAME`, or random:CONFIG.json")
	f.StringVar(&o.init, "init", "", "`CHECKPOINT` or .pt of the original to start from; it brings the mapper's kind, lengths and layers")
	f.StringVar(&o.clipName, "clip", "", "`NAME` of the CLIP the features came from, for config.json")
	f.BoolVar(&s.FrozenLM, "frozen-lm", false, "train the mapper alone")
	f.StringVar(&o.freeze, "freeze", "", "`PATTERNS` of weights to keep as they are, with commas between: gpt.transformer.h.0,*.wte.weight")
	f.IntVar(&s.LoRA, "lora", 0, "train adapters of rank `R` in place of the language model's weights")
	f.BoolVar(&s.Normalize, "normalize", false, "divide features by their length")

	f.IntVar(&s.Epochs, "epochs", s.Epochs, "passes over the data")
	f.Int64Var(&s.Steps, "steps", 0, "updates to make, across epochs; overrides --epochs")
	f.IntVar(&s.BatchSize, "batch-size", s.BatchSize, "captions in a batch")
	f.IntVar(&s.Accumulate, "accumulate", s.Accumulate, "batches in an update")
	f.Float64Var(&s.LR, "lr", s.LR, "highest learning rate")
	cli.OneOf(f, &s.Schedule, "schedule", "how the learning rate falls", train.Schedules...)
	f.StringVar(&o.warmup, "warmup", o.warmup, "updates of rising learning rate, or auto: a tenth of the run, at most 5000")
	f.Float64Var(&s.WeightDecay, "weight-decay", 0, "weight decay of matrices")
	f.Float64Var(&s.GradClip, "grad-clip", 0, "largest norm of the gradient (default: any)")
	f.Float64Var(&s.Dropout, "dropout", s.Dropout, "dropout of the language model (default: its configuration's when it is tuned, else 0)")
	f.Float64Var(&s.Noise, "noise", 0, "variance of noise on normalised features")
	f.Uint64Var(&s.Seed, "seed", 0, "seed of weights, order, dropout and noise")
	cli.OneOf(f, &o.order, "order", "order of captions", "shuffle", "sequential")
	f.BoolVar(&s.KeepLast, "keep-last", false, "train on the last captions of an epoch too, which do not fill a batch")
	f.BoolVar(&s.Group, "group-by-image", false, "put an image's captions into one batch, where they share its prefix: faster")
	cli.Device(f, &o.device, &o.gemm)
	cli.OneOf(f, &s.Precision, "precision", "precision of matrix products", "float32", "high", "bfloat16")

	f.StringVar(&o.valFeatures, "val-features", "", "features of the validation images (default: --features); a pickle brings its captions along")
	f.StringVar(&o.valCaptions, "val-captions", "", "`FILE` of captions to validate on")
	f.StringVar(&o.valSplit, "val-split", "", "split of Karpathy's file to validate on (default val)")
	f.Float64Var(&o.valShare, "val-share", 0, "hold this share of the images out, chosen by their ids, and validate on them instead of --val-captions")
	f.Int64Var(&o.evalEvery, "eval-every", 0, "updates between validations (default: an epoch)")
	f.IntVar(&o.valImages, "val-images", 500, "validation images to write captions for (0: measure the loss alone)")
	f.IntVar(&o.trainImages, "train-images", 0, "images trained on to write and score captions for at every validation, to compare")
	f.IntVar(&o.samples, "samples", 8, "validation captions to show in the log and report.html")
	cli.OneOf(f, &o.keepBest, "keep-best", "keep the best checkpoint in DIR/best, by", train.ByCIDEr, train.ByLoss)
	f.IntVar(&o.patience, "patience", 0, "end after `N` validations without a better one (default: never)")

	f.Int64Var(&o.saveEvery, "save-every", 0, "updates between checkpoints (default: an epoch)")
	f.BoolVar(&o.resume, "resume", false, "continue the run in --out from its last checkpoint")
	f.BoolVar(&o.overwrite, "overwrite", false, "start anew in --out where it has something in it, and in a --log that is there; an earlier run's state, best checkpoint, page and events go")
	f.StringVar(&o.recipe, "recipe", "", "`NAME` of a preset: "+strings.Join(recipeNames(), ", "))
	f.StringVar(&o.log, "log", "", "`FILE` for a JSON line a step (default DIR/log.jsonl)")
	f.StringVar(&o.export, "export", "", "write the last weights, not those of --keep-best, as the original's `FILE` too: .pt, .pth or .bin")
	f.BoolVar(&o.dryRun, "dry-run", false, "say what would be trained, the memory it needs and the data found, and train nothing")
	f.BoolVar(&o.json, "json", false, "print the result as JSON")
	return func(ctx context.Context, _ []string, stdout, stderr io.Writer) error {
		o.given, o.typed = cli.Given(f), cli.Typed(f)
		if err := o.recipeFlags(f); err != nil {
			return err
		}
		if err := o.check(); err != nil {
			return err
		}
		return o.work(ctx, stdout, stderr)
	}
}

// check finds what is wrong with the flags before any file is read.
func (o *options) check() error {
	switch {
	case o.features == "":
		return cli.Misusef("--features is missing")
	case o.out == "" && !o.dryRun:
		return cli.Misusef("--out is missing")
	case o.resume && o.overwrite:
		return cli.Misusef("--resume and --overwrite: want one of them")
	case o.valShare != 0 && (o.valCaptions != "" || o.valFeatures != ""):
		return cli.Misusef("--val-share and --val-captions: want one of them")
	case !(o.valShare >= 0 && o.valShare < 1):
		return cli.Misusef("--val-share %v, want 0 ≤ share < 1", o.valShare)
	case o.keepBest == train.ByCIDEr && (!o.validates() || o.valImages == 0), o.keepBest == train.ByLoss && !o.validates():
		return cli.Misusef("--keep-best %s: nothing to go by without --val-captions or --val-share", o.keepBest)
	case o.patience > 0 && !o.validates():
		return cli.Misusef("--patience: nothing to go by without --val-captions or --val-share")
	case o.valSplit != "" && o.valCaptions == "":
		return cli.Misusef("--val-split %s: of which file? --val-captions is missing", o.valSplit)
	case o.settings.FrozenLM && o.settings.LoRA > 0:
		return cli.Misusef("--lora trains the language model, which --frozen-lm (also of a recipe) keeps as it is: want one of them (--frozen-lm=false)")
	case o.given["dropout"] && o.settings.Dropout < 0:
		return cli.Misusef("--dropout %v, want 0 ≤ p < 1", o.settings.Dropout)
	case !(o.maxMissing >= 0 && o.maxMissing <= 1):
		return cli.Misusef("--max-missing %v, want 0 to 1", o.maxMissing)
	}
	if err := o.checkCounts(); err != nil {
		return err
	}
	if err := o.checkExport(); err != nil {
		return err
	}
	if o.init == "" {
		for _, name := range o.unread(mapping.Kind(o.mapper)) {
			return cli.Misusef("--%s is for --mapper %s, the mapper is %s", name, mapping.KindTransformer, o.mapper)
		}
	}
	if _, err := nn.ParseGemm(o.device, o.gemm); err != nil {
		return cli.Misusef("--%w", err)
	}
	if o.freeze != "" {
		o.settings.Freeze = strings.Split(o.freeze, ",")
	}
	o.settings.Sequential = o.order == "sequential"
	if o.warmup == "auto" {
		o.settings.Warmup = -1
	} else if n, err := strconv.ParseInt(o.warmup, 10, 64); err != nil || n < 0 {
		return cli.Misusef("--warmup %q, want a number of updates or auto", o.warmup)
	} else {
		o.settings.Warmup = n
	}
	if err := o.settings.Validate(); err != nil {
		return cli.Misusef("%w", err)
	}
	if err := cli.NeedFiles("features", o.features, "captions", o.captions, "init", o.init, "val-features", o.valFeatures, "val-captions", o.valCaptions); err != nil {
		return err
	}
	if o.out != "" && !o.dryRun {
		if err := cli.NeedFolder("out", o.out); err != nil {
			return err
		}
	}
	for _, f := range [][2]string{{"log", o.log}, {"export", o.export}} {
		if _, err := os.Stat(o.out); err != nil && o.out != "" && filepath.Dir(f[1]) == filepath.Clean(o.out) {
			continue // the folder will be made
		}
		if err := cli.NeedOutputs(f[0], f[1]); err != nil {
			return err
		}
	}
	if err := o.checkLog(); err != nil {
		return err
	}
	return o.checkOut()
}

// unread are the flags on the command line that say something of a mapper which is not of this kind.
func (o *options) unread(kind mapping.Kind) []string {
	var names []string
	for _, name := range []string{"clip-length", "layers"} {
		if o.typed[name] && kind != mapping.KindTransformer {
			names = append(names, name)
		}
	}
	return names
}

// checkCounts finds numbers that no run can have.
func (o *options) checkCounts() error {
	for _, n := range []struct {
		name         string
		value, least int64
		most         int64 // 0: any
	}{
		{"prefix-length", int64(o.prefixLength), 1, mapping.MaxSize}, {"clip-length", int64(o.clipLength), 1, mapping.MaxSize},
		{"layers", int64(o.layers), 1, mapping.MaxSize}, {"max-tokens", int64(o.maxTokens), 0, 0}, {"eval-every", o.evalEvery, 0, 0},
		{"val-images", int64(o.valImages), 0, 0}, {"train-images", int64(o.trainImages), 0, 0}, {"samples", int64(o.samples), 0, 0},
		{"patience", int64(o.patience), 0, 0}, {"save-every", o.saveEvery, 0, 0},
	} {
		switch {
		case n.most == 0 && n.value < n.least:
			return cli.Misusef("--%s %d, want %d or more", n.name, n.value, n.least)
		case n.most != 0 && (n.value < n.least || n.value > n.most):
			return cli.Misusef("--%s %d, want %d to %d", n.name, n.value, n.least, n.most)
		}
	}
	for _, s := range [][2]string{{"split", o.split}, {"val-split", o.valSplit}} {
		if err := annotation.CheckSplits(s[1]); err != nil {
			return cli.Misusef("--%s: %w", s[0], err)
		}
	}
	return nil
}

// checkExport refuses names that would say of PyTorch's file that it is another; a device or a pipe may have any.
func (o *options) checkExport() error {
	if info, err := os.Stat(o.export); o.export == "" || err == nil && !info.Mode().IsRegular() {
		return nil
	}
	switch strings.ToLower(filepath.Ext(o.export)) {
	case ".pt", ".pth", ".bin":
		return nil
	case ".safetensors":
		return cli.Misusef("--export %s: PyTorch's file is written, want a name that ends in .pt, .pth or .bin; the checkpoint in --out is safetensors as it is", o.export)
	}
	return cli.Misusef("--export %s: want a name that ends in .pt, .pth or .bin", o.export)
}

// validates tells whether there is anything to validate on; --val-features alone may be a pickle with captions.
func (o *options) validates() bool {
	return o.valCaptions != "" || o.valFeatures != "" || o.valShare > 0
}

// checkLog protects the file of --log, as checkOut does --out. What --resume adds to must be a log.
func (o *options) checkLog() error {
	info, err := os.Stat(o.log)
	if o.log == "" || o.overwrite || o.dryRun || err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
		return nil
	}
	if !o.resume {
		return fmt.Errorf("--log %s is there already: --resume continues the run it is of, --overwrite starts anew", o.log)
	}
	if ok, err := train.IsLog(o.log); err != nil {
		return fmt.Errorf("--log: %w", err)
	} else if !ok {
		return fmt.Errorf("--log %s is no log of a run, --resume would write over it: want another file, or --overwrite", o.log)
	}
	return nil
}

// checkOut protects what lies in --out.
func (o *options) checkOut() error {
	if o.out == "" || o.resume || o.overwrite || o.dryRun {
		return nil
	}
	files, err := os.ReadDir(o.out)
	files = slices.DeleteFunc(files, func(f os.DirEntry) bool { return f.Name() == train.LockFile })
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("--out: %w", err)
	case len(files) > 0:
		return fmt.Errorf("--out %s is not empty: --resume continues the run in it, --overwrite starts anew", o.out)
	}
	return nil
}
