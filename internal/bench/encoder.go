package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/clipcap-go/clipcap/clip"
	"github.com/clipcap-go/clipcap/internal/kernel"
	"github.com/clipcap-go/clipcap/nn"
)

// encoders are those that were asked for, by name, precision and batch: opening one takes longer than a turn.
var encoders = map[request]*clip.Encoder{}

// encoder is a run of an image encoder with random weights on M images, float32 [3, size, size] and normalised.
func (q request) encoder() (func(), error) {
	if q.M < 1 || q.M > 1<<12 {
		return nil, fmt.Errorf("%d images, want 1 to %d", q.M, 1<<12)
	}
	precision, err := nn.ParsePrecision(q.Precision)
	if err != nil {
		return nil, err
	}
	key := request{CLIP: q.CLIP, Precision: q.Precision, M: q.M}
	e := encoders[key]
	if e == nil {
		if e, err = clip.Open("random:"+q.CLIP, clip.Options{Precision: precision, Batch: q.M, Device: device}); err != nil {
			return nil, err
		}
		encoders[key] = e
	}
	pixels := spread(q.M * 3 * e.ImageSize() * e.ImageSize())
	return func() {
		if _, err := e.EncodePixels(context.Background(), pixels); err != nil {
			panic(err) // no input can be wrong here
		}
	}, nil
}

// encode runs an image encoder some times and prints its speed and where its time goes.
func encode(q request, runs int, w io.Writer) error {
	run, err := q.encoder()
	if err != nil {
		return err
	}
	run() // packs weights
	r := q.repeat(run)
	e := encoders[request{CLIP: q.CLIP, Precision: q.Precision, M: q.M}]
	e.Profile(true)
	for range runs {
		run()
	}
	fmt.Fprintf(w, "%s, batch %d, %s on %s, %d threads: %.2f ms, %.1f images/s\n\n",
		q.CLIP, q.M, q.Precision, kernel.CPU(), runtime.GOMAXPROCS(0), 1e3*r.Median, float64(q.M)/r.Median)
	var total time.Duration
	for _, x := range e.Times() {
		total += x.Time
	}
	fmt.Fprintf(w, "%-22s %6s %10s %7s\n", "operation", "nodes", "ms a run", "share")
	for _, x := range e.Times() {
		fmt.Fprintf(w, "%-22s %6d %10.2f %6.1f%%\n", x.Kind, x.Nodes, x.Time.Seconds()*1e3/float64(runs), 100*float64(x.Time)/float64(total))
	}
	return nil
}
