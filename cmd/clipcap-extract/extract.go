package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/clipcap-go/clipcap/clip"
	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/data/extract"
	"github.com/clipcap-go/clipcap/internal/cli"
	"github.com/clipcap-go/clipcap/internal/files"
	"github.com/clipcap-go/clipcap/internal/plural"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights"
	"github.com/clipcap-go/clipcap/weights/fetch"
)

// options are the command line.
type options struct {
	clip, images, out   string
	annotations, split  string
	activation          string
	batch, shardSize    int
	shards, shard       int
	workers             int
	maxPixels           int
	seed                uint64
	precision, dtype    string
	device, gemm        string
	resume, overwrite   bool
	given               map[string]bool // the flags on the command line
	idle                func(beside string, names ...string) error
	exif, json          bool
	connections, onHost int
	timeout             time.Duration
	retries             int
}

func program() *cli.Command {
	o := &options{precision: "high", dtype: "f16", activation: "auto"}
	return &cli.Command{
		Name: "clipcap-extract",
		About: `clipcap-extract turns images into CLIP features, a folder of shards that training and captioning read.

Images are a folder, with --annotations those of COCO's, Karpathy's or nocaps' file; a list, a path or address a line; a
TSV of captions and addresses such as Conceptual Captions'; webdataset tars, one, a folder or a quoted pattern; or an
.npy of pixels. JPEG, PNG, GIF, WebP and BMP are read. An image that cannot be had is a line with its reason in the
shard, never a failed run. A run that was killed or interrupted goes on with --resume and leaves the same bytes. A list and
annotations may come through a pipe such as <(command).`,
		Example: `clipcap-extract --clip random:ViT-B/32 --images photos --out features   # random weights, to try it
clipcap-extract --clip ViT-B-32.pt --images train2014 --annotations captions_train2014.json --out coco-features`,
		Setup: func(f *flag.FlagSet) cli.Work {
			o.flags(f)
			return func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
				o.given = cli.Given(f)
				o.idle = func(beside string, names ...string) error { return cli.Idle(f, beside, names...) }
				return o.run(ctx, args, stdout, stderr)
			}
		},
	}
}

func (o *options) flags(f *flag.FlagSet) {
	f.StringVar(&o.clip, "clip", "", "`MODEL`: a file or folder of CLIP weights, a published name (ViT-B/32) that was fetched, or random:CONFIG.json, random:ViT-B/32 for random ones")
	f.StringVar(&o.images, "images", "", "`SOURCE` of the images: folder, list, .tsv, .tar, .npy or .json")
	f.StringVar(&o.out, "out", "", "`DIR` of the feature set")
	f.StringVar(&o.annotations, "annotations", "", "`FILE` of COCO's, Karpathy's or nocaps' format that says which images of the folder to take")
	f.StringVar(&o.split, "split", "", "`SPLIT` of Karpathy's file: train, restval, val, test, several with commas (default all)")
	cli.OneOf(f, &o.activation, "activation", "activation of a CLIP file that does not tell its own", "auto", "gelu", "quickgelu")
	cli.Device(f, &o.device, &o.gemm)
	cli.OneOf(f, &o.precision, "precision", "precision of matrix products", "float32", "high", "bfloat16")
	cli.OneOf(f, &o.dtype, "dtype", "type of the features written", "f16", "f32")
	f.IntVar(&o.batch, "batch", 64, "images encoded at once")
	f.IntVar(&o.shardSize, "shard-size", extract.DefaultShardSize, "images in a shard, which is what a kill can cost")
	f.IntVar(&o.shards, "shards", 0, "number of processes that share the work (default: what Slurm or Open MPI says, else 1)")
	f.IntVar(&o.shard, "shard", -1, "which of the --shards processes this is, from 0 (default: what Kubernetes, Slurm or Open MPI says)")
	f.IntVar(&o.workers, "workers", 0, "images decoded at once (default: one a core)")
	f.IntVar(&o.maxPixels, "max-pixels", 0, "refuse images of more pixels (default 178956970, as Pillow)")
	f.Uint64Var(&o.seed, "seed", 0, "seed of random weights")
	f.BoolVar(&o.resume, "resume", false, "go on with the feature set in --out")
	f.BoolVar(&o.overwrite, "overwrite", false, "start the feature set in --out anew")
	f.BoolVar(&o.exif, "exif", false, "turn photos as their EXIF orientation says; CLIP's own features were made without doing so")
	f.BoolVar(&o.json, "json", false, "print the summary as JSON")
	f.IntVar(&o.connections, "connections", 64, "fetches from the web at once")
	f.IntVar(&o.onHost, "per-host", 4, "fetches at once from one host")
	f.DurationVar(&o.timeout, "timeout", 15*time.Second, "time limit of one fetch")
	f.IntVar(&o.retries, "retries", 2, "new tries of a fetch whose failure may be temporary")
}

// check finds what is wrong with the command line before any work.
func (o *options) check() error {
	for _, need := range [][2]string{{"--clip", o.clip}, {"--images", o.images}, {"--out", o.out}} {
		if need[1] == "" {
			return cli.Misusef("%s is missing", need[0])
		}
	}
	for _, n := range []struct {
		name        string
		value, most int
	}{{"--batch", o.batch, 4096}, {"--shard-size", o.shardSize, 1 << 24}, {"--connections", o.connections, 4096}, {"--per-host", o.onHost, 4096}} {
		if n.value < 1 || n.value > n.most {
			return cli.Misusef("%s is %d, want 1 to %d", n.name, n.value, n.most)
		}
	}
	if o.workers < 0 || o.workers > 4096 {
		return cli.Misusef("--workers is %d, want 0 (one a core) to 4096", o.workers)
	}
	if o.maxPixels < 0 {
		return cli.Misusef("--max-pixels is %d, want 0 (for the default) or more", o.maxPixels)
	}
	if o.given["shards"] && o.shards < 1 {
		return cli.Misusef("--shards is %d, want 1 or more", o.shards)
	}
	if o.given["shard"] && o.shard < 0 {
		return cli.Misusef("--shard is %d, want 0 to the number of --shards less one", o.shard)
	}
	if o.retries < 0 || o.retries > 1000 {
		return cli.Misusef("--retries is %d, want 0 to 1000", o.retries)
	}
	if o.timeout <= 0 {
		return cli.Misusef("--timeout is %v, want more than 0s", o.timeout)
	}
	if err := annotation.CheckSplits(o.split); err != nil {
		return cli.Misusef("--split: %w", err)
	}
	if o.resume && o.overwrite {
		return cli.Misusef("--resume and --overwrite: want one of them")
	}
	if !strings.HasPrefix(o.clip, "random:") {
		return o.idle("clip", "seed")
	}
	return nil
}

// checkSource refuses flags that do nothing to the images of a source.
func (o *options) checkSource(s extract.Source) error {
	var names []string
	if !extract.Remote(s) {
		names = append(names, "connections", "per-host", "timeout", "retries")
	}
	if extract.Encodable(s) {
		names = append(names, "exif", "max-pixels", "workers")
	}
	return o.idle("images", names...)
}

func (o *options) run(ctx context.Context, _ []string, stdout, stderr io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	process, processes, err := extract.Schedule(o.shards, o.shard, os.Getenv)
	if err != nil {
		return cli.Misusef("%w", err)
	}
	if o.overwrite && processes > 1 {
		return cli.Misusef("--overwrite by one of %d processes: they would remove each other's work; empty %s first", processes, o.out)
	}
	precision, err := nn.ParsePrecision(o.precision)
	if err != nil {
		return cli.Misusef("%w", err)
	}
	device, err := nn.ParseGemm(o.device, o.gemm)
	if err != nil {
		return cli.Misusef("--%w", err)
	}
	if err := o.needFiles(); err != nil {
		return err
	}
	retries := o.retries
	if retries == 0 {
		retries = -1 // none, where 0 is the default
	}
	activation := clip.Activation(o.activation)
	if activation == "auto" {
		activation = ""
	}
	encoder, err := clip.Open(o.clip, clip.Options{Precision: precision, Device: device, Activation: activation, Batch: o.batch, Seed: o.seed})
	if err != nil {
		return err
	}
	source, err := extract.OpenSource(o.images, extract.SourceOptions{Annotations: o.annotations, Split: o.split,
		Fetch: extract.Fetch{Connections: o.connections, PerHost: o.onHost, Timeout: o.timeout, Retries: retries}})
	if err != nil {
		return err
	}
	defer source.Close()
	if err := o.checkSource(source); err != nil {
		return err
	}
	model, err := o.model(encoder)
	if err != nil {
		return err
	}
	var progress *cli.Progress
	start := time.Now()
	sum, err := extract.Run(ctx, extract.Options{Source: source, Encoder: encoder, Model: model, Precision: precision, Out: o.out,
		Half: o.dtype == "f16", ShardSize: o.shardSize, Process: process, Processes: processes, Resume: o.resume, Overwrite: o.overwrite,
		Image: clip.ImageOptions{MaxPixels: o.maxPixels, EXIF: o.exif}, Workers: o.workers,
		Begin: func(images int) { progress = cli.NewProgress(stderr, "images", int64(images), false) },
		Done:  func(n int) { progress.Add(int64(n)) }})
	if progress != nil {
		progress.Done()
	}
	if err != nil {
		return cli.Interrupted(err, "; the shards that are done stay in %s, the same command with --resume goes on from them", o.out)
	}
	return o.report(stdout, stderr, sum, float64(sum.Encoded)/time.Since(start).Seconds())
}

// needFiles checks what is named before anything of it is read: the model first, without which there is nothing to do.
func (o *options) needFiles() error {
	if !strings.HasPrefix(o.clip, "random:") {
		path, err := fetch.Locate(o.clip)
		if err != nil {
			return fmt.Errorf("--clip: %w", err)
		}
		o.clip = path
	}
	if err := cli.NeedFiles("annotations", o.annotations); err != nil {
		return err
	}
	return cli.NeedFolder("out", o.out)
}

// report prints what was done, and what was not and why.
func (o *options) report(stdout, stderr io.Writer, sum *extract.Summary, rate float64) error {
	fmt.Fprintf(stderr, "%d of %s with a feature, in %s of %s (%d from an earlier run)",
		sum.Features, plural.Of(sum.Images, "image"), plural.Of(sum.Shards, "shard"), o.out, sum.Skipped)
	if rate > 0 { // else every shard was there, or nothing could be read
		fmt.Fprintf(stderr, "; %.1f images/s", rate)
	}
	fmt.Fprintln(stderr)
	for _, status := range slices.Sorted(maps.Keys(sum.Failed)) {
		fmt.Fprintf(stderr, "  %d %s\n", sum.Failed[status], status)
	}
	for _, e := range sum.Examples {
		fmt.Fprintf(stderr, "  for example %s\n", e)
	}
	if o.json {
		if err := cli.PrintJSON(stdout, sum); err != nil {
			return err
		}
	}
	if sum.Features == 0 && sum.Images > 0 {
		return fmt.Errorf("of %s none could be read", plural.Of(sum.Images, "image"))
	}
	return nil
}

// model names the encoder for meta.json: by what decides its features, not by where it lies.
func (o *options) model(e *clip.Encoder) (extract.Model, error) {
	h := sha256.New()
	if spec, ok := strings.CutPrefix(o.clip, "random:"); ok {
		if err := json.NewEncoder(h).Encode([]any{e.Config(), o.seed}); err != nil {
			return extract.Model{}, err
		}
		if _, err := os.Stat(spec); err == nil {
			spec = filepath.Base(spec)
		}
		return extract.Model{Name: "random:" + spec, SHA256: hex.EncodeToString(h.Sum(nil))}, nil
	}
	s, err := weights.Open(o.clip)
	if err != nil {
		return extract.Model{}, err
	}
	path := s.Path
	s.Close()
	f, err := files.Open(path)
	if err != nil {
		return extract.Model{}, err
	}
	defer f.Close()
	if _, err := io.Copy(h, f); err != nil {
		return extract.Model{}, err
	}
	return extract.Model{Name: filepath.Base(path), SHA256: hex.EncodeToString(h.Sum(nil))}, nil
}
