package extract

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/clipcap-go/clipcap/internal/files"
)

// shard is one under way.
type shard struct {
	number   int
	lock     *files.Lock
	lines    []line
	features [][]float32 // by line, nil where there is none
	left     int
}

// job is an image on its way to the encoder.
type job struct {
	*shard
	at     int
	item   *Item
	square []byte
	pixels []float32
	err    error
}

// pipeline runs loading and decoding beside the encoder: produce → work → consume. A window bounds the images between, and turns those
// that are loaded or decoded at once. Of fetches the whole window may wait for their hosts, so that a slow one holds up its own alone.
type pipeline struct {
	*Options
	ctx     context.Context
	sum     *Summary
	window  chan struct{}
	turns   chan struct{}
	jobs    chan *job
	results chan *job
	decoder *Decoder
	workers sync.WaitGroup
	failed  error         // of produce; read after results is closed
	locks   []*files.Lock // of produce too: all it took
	waiting []*job
}

func newPipeline(ctx context.Context, o *Options, sum *Summary) *pipeline {
	atOnce := o.Workers
	r, fetched := o.Source.(*remote)
	if fetched {
		atOnce = r.o.Connections
	}
	room := 2*o.Encoder.Batch() + 2*atOnce
	p := &pipeline{Options: o, ctx: ctx, sum: sum, window: make(chan struct{}, room), turns: make(chan struct{}, atOnce), jobs: make(chan *job),
		results: make(chan *job, room), decoder: NewDecoder(o.Encoder.ImageSize(), o.Image, o.Workers)}
	workers := atOnce
	if fetched {
		workers = room
	}
	for range workers {
		p.workers.Go(func() {
			for j := range p.jobs {
				p.work(j)
				p.results <- j // has room for all in the window
			}
		})
	}
	return p
}

// work loads and decodes an image when it is its host's turn and its own.
func (p *pipeline) work(j *job) {
	leave, err := j.item.wait(p.ctx)
	if err != nil {
		j.err = err
		return
	}
	p.turns <- struct{}{}
	defer func() { <-p.turns }()
	j.square, j.pixels, j.err = p.Options.square(p.ctx, j.item, leave, p.decoder)
}

// produce hands out the images of the shards in order.
func (p *pipeline) produce(shards []int) {
	defer func() {
		close(p.jobs)
		p.workers.Wait()
		close(p.results)
	}()
	for _, n := range shards {
		from, to := p.bounds(n)
		lock, err := p.lock(n)
		var items []Item
		if err == nil {
			items, err = p.Source.Items(from, to)
		}
		if err != nil {
			p.failed = fmt.Errorf("shard %d: %w", n, err)
			return
		}
		s := &shard{number: n, lock: lock, lines: make([]line, len(items)), features: make([][]float32, len(items)), left: len(items)}
		for i := range items {
			s.lines[i] = line{ID: items[i].ID, File: items[i].File}
			select {
			case p.window <- struct{}{}:
			case <-p.ctx.Done():
				return
			}
			p.jobs <- &job{shard: s, at: i, item: &items[i]}
		}
	}
}

// lock keeps other processes from a shard until it is written: files of the two, or parts of them, would be mixed up.
func (p *pipeline) lock(n int) (*files.Lock, error) {
	l, err := files.TakeLock(shardPath(p.Out, n, ".lock"))
	if err != nil {
		return nil, err
	}
	p.locks = append(p.locks, l)
	if _, err := os.Stat(shardPath(p.Out, n, ".json")); err == nil {
		return nil, fmt.Errorf("another process has finished it meanwhile: --shard and --shards share the work out, --resume goes on in %s", p.Out)
	}
	return l, nil
}

// consume encodes what is ready, a batch at a time, and writes shards that are complete.
func (p *pipeline) consume() error {
	for j := range p.results {
		if p.ctx.Err() != nil {
			continue // whoever waits is let go
		}
		if err := p.take(j); err != nil {
			return err
		}
	}
	switch {
	case p.ctx.Err() != nil:
		return context.Cause(p.ctx)
	case p.failed != nil:
		return p.failed
	}
	return p.flush()
}

// take adds one image to the batch, or to the failed.
func (p *pipeline) take(j *job) error {
	if j.err == nil {
		if p.waiting = append(p.waiting, j); len(p.waiting) == p.Encoder.Batch() {
			return p.flush()
		}
		return nil
	}
	var f *Failure
	if !errors.As(j.err, &f) {
		return j.err
	}
	l := &j.lines[j.at]
	l.Status, l.Error = f.Status, f.Err.Error()
	if len(p.sum.Examples) < maxExamples {
		name := l.File
		if name == "" {
			name = string(l.ID)
		}
		p.sum.Examples = append(p.sum.Examples, fmt.Sprintf("%s: %s", name, l.Error))
	}
	return p.finish(j)
}

// flush encodes the batch.
func (p *pipeline) flush() error {
	if len(p.waiting) == 0 {
		return nil
	}
	var squares [][]byte
	var pixels []float32
	for _, j := range p.waiting {
		if j.square != nil {
			squares = append(squares, j.square)
		} else {
			pixels = append(pixels, j.pixels...)
		}
	}
	var features [][]float32
	var err error
	if pixels == nil {
		features, err = p.Encoder.EncodeSquares(p.ctx, squares)
	} else {
		features, err = p.Encoder.EncodePixels(p.ctx, pixels)
	}
	if err != nil {
		return err
	}
	batch := p.waiting
	p.waiting = nil
	p.sum.Encoded += len(batch)
	for i, j := range batch {
		if j.err = p.writable(features[i]); j.err != nil {
			if err := p.take(j); err != nil {
				return err
			}
			continue
		}
		j.features[j.at] = features[i]
		if err := p.finish(j); err != nil {
			return err
		}
	}
	return nil
}

// largestHalf is the largest float16.
const largestHalf = 65504

// writable refuses a feature that would be of no use: an encoder whose weights are damaged, or pixels that are no numbers, give such.
func (p *pipeline) writable(feature []float32) error {
	for i, x := range feature {
		if x-x != 0 {
			return fail(NotFinite, "number %d of the feature is %v, want finite ones", i, x)
		}
		if p.Half && max(x, -x) > largestHalf {
			return fail(NotFinite, "number %d of the feature is %v, too large for float16", i, x)
		}
	}
	return nil
}

// finish makes room for another image, and writes the shard if this was its last.
func (p *pipeline) finish(j *job) error {
	<-p.window
	if p.Done != nil {
		p.Done(1)
	}
	if j.left--; j.left > 0 {
		return nil
	}
	var rows [][]float32
	for i, f := range j.features {
		if f != nil {
			row := len(rows)
			j.lines[i].Row = &row
			rows = append(rows, f)
		}
	}
	c, err := writeShard(p.Out, j.number, j.lines, rows, p.Encoder.Dim(), p.Half)
	p.sum.add(c)
	if err != nil {
		return err
	}
	return j.lock.Close()
}
