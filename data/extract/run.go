package extract

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/clipcap-go/clipcap/clip"
	"github.com/clipcap-go/clipcap/nn"
)

// DefaultShardSize is the number of images in a shard: what a kill can cost.
const DefaultShardSize = 1000

// Options say what Run extracts and where to.
type Options struct {
	Source    Source
	Encoder   *clip.Encoder
	Model     Model        // of the encoder, for meta.json
	Precision nn.Precision // the encoder's, for meta.json
	Out       string       // the feature set's folder, made where it is missing
	Half      bool         // write float16; else float32
	ShardSize int          // 0: DefaultShardSize
	// Of Processes processes that share the work, this is number Process, from 0. 0 processes: this one alone.
	Process, Processes int
	Resume, Overwrite  bool // what to do with a folder that is not empty
	Image              clip.ImageOptions
	Workers            int              // images decoded at once, 0: GOMAXPROCS
	Begin              func(todo int)   // called once with the number of images that are still to be done; may be nil
	Done               func(images int) // called with the number of images since its last call; may be nil
}

// Summary is what a run did.
type Summary struct {
	Counts            // of all shards of this process
	Shards   int      `json:"shards"`             // of this process
	Skipped  int      `json:"done_before"`        // of those, the ones an earlier run had finished
	Encoded  int      `json:"-"`                  // images that this run encoded
	Examples []string `json:"examples,omitempty"` // the first images that failed in this run, with their reasons
}

// maxExamples bounds Summary.Examples.
const maxExamples = 5

// Run extracts the features of a source. Images that fail are rows without a feature; an error is what stopped the
// run, which can be repeated with Resume.
func Run(ctx context.Context, o Options) (*Summary, error) {
	s, err := o.run(ctx)
	if err != nil {
		return s, fmt.Errorf("extract features: %w", err)
	}
	return s, nil
}

// run is Run, whose errors say in front what failed.
func (o *Options) run(ctx context.Context) (*Summary, error) {
	if o.ShardSize < 1 {
		o.ShardSize = DefaultShardSize
	}
	if o.Processes < 1 {
		o.Process, o.Processes = 0, 1
	}
	if o.Process < 0 || o.Process >= o.Processes {
		return nil, fmt.Errorf("process %d of %d, want 0 to %d", o.Process, o.Processes, o.Processes-1)
	}
	if o.Workers < 1 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if p, ok := o.Source.(*pixels); ok && p.size != o.Encoder.ImageSize() {
		return nil, fmt.Errorf("pixels of %d×%d, the encoder takes %d×%d", p.size, p.size, o.Encoder.ImageSize(), o.Encoder.ImageSize())
	}
	meta, err := o.meta(ctx)
	if err != nil {
		return nil, err
	}
	if err := prepare(o.Out, meta, o.Resume || o.Processes > 1, o.Overwrite); err != nil {
		return nil, err
	}
	sum := &Summary{}
	todo, images, err := o.pending(sum)
	if err != nil {
		return nil, err
	}
	if o.Begin != nil {
		o.Begin(images)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p := newPipeline(ctx, o, sum)
	go p.produce(todo)
	err = p.consume()
	cancel(errors.New("stopped")) // lets go whoever still waits
	p.workers.Wait()
	for _, l := range p.locks {
		err = errors.Join(err, l.Close()) // those of shards that were not finished
	}
	return sum, err
}

// meta is what the shards have in common.
func (o *Options) meta(ctx context.Context) (setMeta, error) {
	list, err := listHash(ctx, o.Source)
	m := setMeta{Format: 1, CLIP: o.Model, Activation: string(o.Encoder.Config().Activation), Dim: o.Encoder.Dim(), DType: "f32",
		Precision: o.Precision.String(), Images: o.Source.Len(), List: list, ShardSize: o.ShardSize, Preprocess: fmt.Sprintf("bicubic %d, centre crop", o.Encoder.ImageSize())}
	if o.Half {
		m.DType = "f16"
	}
	if o.Image.EXIF {
		m.Preprocess += ", EXIF orientation"
	}
	return m, err
}

// hashedAtOnce is how many images of a list are held for its hash.
const hashedAtOnce = 16 * markEvery

// listHash is the SHA-256 of the images' ids and names in their order: with another list, the numbers of its images mean others.
func listHash(ctx context.Context, s Source) (string, error) {
	h := sha256.New()
	w := bufio.NewWriterSize(h, 1<<16)
	for from := 0; from < s.Len(); from += hashedAtOnce {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		items, err := s.Items(from, min(from+hashedAtOnce, s.Len()))
		if err != nil {
			return "", err
		}
		for _, it := range items {
			w.WriteString(string(it.ID) + "\x00" + it.File + "\x00")
		}
	}
	w.Flush()
	return hex.EncodeToString(h.Sum(nil)), nil
}

// pending lists the shards of this process without a done-file, and how many images they have.
func (o *Options) pending(sum *Summary) (shards []int, images int, err error) {
	total := (o.Source.Len() + o.ShardSize - 1) / o.ShardSize
	for n := o.Process; n < total; n += o.Processes {
		sum.Shards++
		var c Counts
		switch err := readJSON(shardPath(o.Out, n, ".json"), &c); {
		case err == nil:
			sum.Skipped++
			sum.add(c)
			continue
		case !errors.Is(err, os.ErrNotExist):
			return nil, 0, err
		}
		shards = append(shards, n)
		from, to := o.bounds(n)
		images += to - from
	}
	return shards, images, nil
}

// bounds are the images of a shard.
func (o *Options) bounds(n int) (from, to int) {
	return n * o.ShardSize, min((n+1)*o.ShardSize, o.Source.Len())
}

// square makes an item, whose turn it is until leave, what the encoder takes: the bytes of a square, or pixels.
func (o *Options) square(ctx context.Context, it *Item, leave func(), d *Decoder) (square []byte, pixels []float32, err error) {
	pixels, ok, err := it.Pixels()
	if ok || err != nil {
		return nil, pixels, err
	}
	im, err := d.loadNow(ctx, it, leave)
	if err == nil {
		square, err = im.Square(o.Encoder.ImageSize())
	}
	return square, nil, err
}
