// Command bench prints one table of the kernels' speed: kernel, shape, ours, limit, ratio.
//
// The limit of a row is measured in the same seconds as the kernel, taking turns with it: the
// processor's multiply-add peak for a product, the memory's rate for what streams, the slower of the two
// where a kernel does both. Each figure is the best call of all turns, since other load on the
// machine only ever slows one down.
//
//	go run ./internal/bench                     every row
//	go run ./internal/bench -run 'gemm.*bf16'   those whose kernel and shape match
//	go run ./internal/bench -step frozen        where the time and the memory of a training step go (or tuned)
//	go run ./internal/bench -serve-step -step frozen   make a step for every line of input (scripts/peers.sh train)
//	go run ./internal/bench -encoder ViT-B/32    where the time of an image encoder goes
//	go run -tags gpu ./internal/bench -device cuda -serve   the same on a GPU (scripts/peers_gpu.py)
//	go run -tags gpu ./internal/bench -load 0    how long opening GPU 0 and loading the kernels takes
//	go run ./internal/bench -serve              answer timing requests, one JSON line each (make bench-peers)
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/clipcap-go/clipcap/internal/kernel"
	"github.com/clipcap-go/clipcap/nn"
)

// device is where steps, captions and image encoders are computed, and on a GPU products and attention too. small makes
// their networks tiny, to try a measurement out.
var (
	device nn.Device
	small  bool
)

func main() {
	run := flag.String("run", "", "measure the rows whose \"kernel shape\" matches this `regexp`")
	budget := flag.Duration("time", 600*time.Millisecond, "time for one row")
	serve := flag.Bool("serve", false, "read timing requests from standard input, as JSON lines, and answer them")
	var o stepOptions
	flag.StringVar(&o.kind, "step", "", "measure a training step instead: frozen or tuned")
	encoder := flag.String("encoder", "", "measure an image encoder instead, by its published `name`")
	flag.IntVar(&o.batch, "batch", 40, "captions of the step, or images")
	flag.IntVar(&o.tokens, "tokens", 12, "tokens of a caption; 0: 8 and an exponential tail, 11.6 on average, as COCO's")
	serveStep := flag.Bool("serve-step", false, "make a step (-step) for every line of standard input and answer with its seconds")
	flag.StringVar(&o.precision, "precision", "float32", "of the step or encoder: float32, high or bfloat16")
	flag.IntVar(&o.steps, "steps", 5, "steps, or batches of images, to measure")
	loaded := flag.Int("load", -1, "open the GPU of this `number` instead, and tell how long loading the kernels takes")
	on := flag.String("device", "cpu", nn.Devices)
	gemm := flag.String("gemm", "auto", "on a GPU: "+nn.Gemms)
	flag.BoolVar(&small, "small", false, "tiny networks, to try a measurement out")
	flag.Parse()
	var wrong error
	device, wrong = nn.ParseGemm(*on, *gemm)
	match, err := regexp.Compile(*run)
	switch {
	case wrong != nil:
		err = wrong
	case flag.NArg() > 0:
		err = fmt.Errorf("unexpected argument %q", flag.Arg(0))
	case err != nil:
		err = fmt.Errorf("-run: %w", err)
	case o.kind != "" && o.kind != "frozen" && o.kind != "tuned":
		err = fmt.Errorf("-step %s: want frozen or tuned", o.kind)
	case *serveStep && o.kind == "":
		err = fmt.Errorf("-serve-step needs -step")
	case o.batch < 1 || o.tokens < 0 || o.steps < 1:
		err = fmt.Errorf("-batch and -steps must be at least 1, -tokens at least 0")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	if *loaded >= 0 {
		err = load(*loaded, os.Stdout)
	} else if err = kernel.CPUError(); err == nil && *serve {
		err = answer(os.Stdin, os.Stdout)
	} else if err == nil && *serveStep {
		err = answerSteps(o, os.Stdin, os.Stdout)
	} else if err == nil && *encoder != "" {
		err = encode(request{CLIP: *encoder, M: o.batch, Precision: o.precision, Seconds: 1}, o.steps, os.Stdout)
	} else if err == nil && o.kind != "" {
		err = step(o, os.Stdout)
	} else if err == nil {
		table(match, *budget)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// table measures and prints the rows that match.
func table(match *regexp.Regexp, budget time.Duration) {
	fmt.Printf("%s/%s, kernels for %s, %d threads, %s\n\n", runtime.GOOS, runtime.GOARCH, kernel.CPU(), runtime.GOMAXPROCS(0), runtime.Version())
	fmt.Printf("%-22s %-22s %10s %10s %-8s %6s  %s\n", "kernel", "shape", "ours", "limit", "", "ratio", "the limit is")
	for _, r := range rows() {
		if !match.MatchString(r.kernel + " " + r.shape) {
			continue
		}
		c := r.prepare()
		ours, limit, name := c.measure(budget)
		fmt.Printf("%-22s %-22s %10.1f %10.1f %-8s %6.2f  %s\n", r.kernel, r.shape, ours/1e9, limit/1e9, c.unit, ours/limit, name)
		c = contest{}
		debug.FreeOSMemory() // the buffers of one row shall not crowd the next
	}
}
