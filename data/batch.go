package data

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Batch is the captions of a step as the networks read them: rows end to end, no padding.
//
// Every caption of T tokens is a sequence of P prefix rows and the T-1 tokens before the last; the row before a token predicts it
// (train.py:320, logits[:, P-1:-1]). With Shared, an image's prefix is a sequence of its own, and the captions of the image are
// sequences behind it.
type Batch struct {
	Captions []int32   // their numbers among the data set's
	Features []float32 // [images, dim]
	Images   int       // one a caption, or with Shared those that have a caption here

	IDs       []int32 // [rows] token of the row, -1 for a prefix row
	Positions []int32 // [rows] place in its sequence
	Prefix    []int32 // [rows] row of the mapper's output, -1 for a token
	Starts    []int32 // [sequences+1]
	Parents   []int32 // [sequences] the sequence whose rows come first, -1 for none; only with Shared
	From      []int32 // [targets] the row that predicts
	Targets   []int32 // [targets] the token it should

	caption []int32 // the one in hand
}

// Size is what a graph must have room for: images, rows of all sequences together, sequences, and predicted tokens.
type Size struct{ Images, Rows, Sequences, Targets int }

// Size is the batch's own.
func (b *Batch) Size() Size {
	return Size{b.Images, len(b.IDs), len(b.Starts) - 1, len(b.Targets)}
}

func (a Size) max(b Size) Size {
	return Size{max(a.Images, b.Images), max(a.Rows, b.Rows), max(a.Sequences, b.Sequences), max(a.Targets, b.Targets)}
}

// Packer makes batches.
type Packer struct {
	Captions     *Captions
	PrefixLength int     // rows that stand before a caption
	Normalize    bool    // features x become x/‖x‖
	Noise        float64 // variance of normal noise on the normalised features (CapDec, arXiv 2211.00575)
	Seed         uint64  // of the noise
	Shared       bool    // captions of one image share its prefix

	at map[int32]int // Shared: feature row → image of the batch
}

// Pack fills b with the given captions, by number, for step number step, which only the noise depends on. It reuses b's memory. A feature
// that cannot be read, or is not finite, is an error that names its image.
func (p *Packer) Pack(b *Batch, captions []int32, step uint64) error {
	b.lay(p, captions)
	dim := p.Captions.Features.Dim
	if n := b.Images * dim; cap(b.Features) < n {
		b.Features = make([]float32, n)
	}
	b.Features = b.Features[:b.Images*dim]
	image := 0
	for _, c := range captions {
		row := p.Captions.rows[c]
		if p.Shared && p.at[row] != image {
			continue // not its image's first caption
		}
		x := b.Features[image*dim:][:dim]
		if err := p.Feature(x, int(row)); err != nil {
			return err
		}
		if p.Noise > 0 {
			if err := p.disturb(x, step, image); err != nil {
				return fmt.Errorf("feature of image id %s: %w", p.Captions.Features.ID(int(row)), err)
			}
		}
		image++
	}
	return nil
}

// Feature reads a row as the mapper sees it, without noise.
func (p *Packer) Feature(x []float32, row int) error {
	f := p.Captions.Features
	if err := f.Read(x, row); err != nil {
		return err
	}
	err := finite(x)
	if err == nil && (p.Normalize || p.Noise > 0) {
		err = normalize(x)
	}
	if err != nil {
		return fmt.Errorf("feature of image id %s: %w", f.ID(row), err)
	}
	return nil
}

func finite(x []float32) error {
	for i, v := range x {
		if v-v != 0 { // an infinity or no number
			return fmt.Errorf("number %d is %v", i, v)
		}
	}
	return nil
}

// disturb adds the noise of a step to a normalised feature and normalises it again.
func (p *Packer) disturb(x []float32, step uint64, image int) error {
	key := mix(p.Seed+0x6a09e667f3bcc909) + mix(step+0xbb67ae8584caa73b) + mix(uint64(image)+0x3c6ef372fe94f82b)
	std := math.Sqrt(p.Noise)
	for i := range x {
		x[i] += float32(std * normal(key+uint64(i)*0x9e3779b97f4a7c15))
	}
	return normalize(x)
}

var errZeros = errors.New("all numbers are 0, which cannot be normalised")

func normalize(x []float32) error {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	if sum == 0 {
		return errZeros
	}
	n := float32(math.Sqrt(sum))
	for i := range x {
		x[i] /= n
	}
	return nil
}

// normal is a draw from the normal distribution (Box and Muller 1958) for a counter.
func normal(counter uint64) float64 {
	u := (float64(mix(counter)>>11) + 1) / (1 << 53) // (0, 1]
	v := float64(mix(counter^0x5851f42d4c957f2d)>>11) / (1 << 53)
	return math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*v)
}

// lay fills everything but the features.
func (b *Batch) lay(p *Packer, captions []int32) {
	b.Captions = append(b.Captions[:0], captions...)
	b.IDs, b.Positions, b.Prefix = b.IDs[:0], b.Positions[:0], b.Prefix[:0]
	b.Starts, b.Parents = append(b.Starts[:0], 0), b.Parents[:0]
	b.From, b.Targets = b.From[:0], b.Targets[:0]
	b.Images = 0
	if p.Shared {
		b.layShared(p, captions)
		return
	}
	for _, c := range captions {
		b.caption = p.Captions.appendTokens(b.caption[:0], int(c))
		t := b.caption
		b.prefix(p.PrefixLength)
		b.predict(len(b.IDs)-1, t)
		b.tokens(t, p.PrefixLength)
		b.Starts = append(b.Starts, int32(len(b.IDs)))
	}
}

// layShared lays an image's prefix down at its first caption, and all captions of the image behind it.
func (b *Batch) layShared(p *Packer, captions []int32) {
	if p.at == nil {
		p.at = map[int32]int{}
	}
	clear(p.at)
	for i, c := range captions {
		row := p.Captions.rows[c]
		if _, ok := p.at[row]; ok {
			continue
		}
		p.at[row] = b.Images
		parent := int32(len(b.Parents))
		b.prefix(p.PrefixLength)
		last := len(b.IDs) - 1
		b.Starts = append(b.Starts, int32(len(b.IDs)))
		b.Parents = append(b.Parents, -1)
		for _, d := range captions[i:] {
			if p.Captions.rows[d] != row {
				continue
			}
			b.caption = p.Captions.appendTokens(b.caption[:0], int(d))
			t := b.caption
			b.predict(last, t)
			if len(t) < 2 {
				continue // nothing stands behind the prefix
			}
			b.tokens(t, p.PrefixLength)
			b.Starts = append(b.Starts, int32(len(b.IDs)))
			b.Parents = append(b.Parents, parent)
		}
	}
}

// prefix adds the rows of one more image's prefix.
func (b *Batch) prefix(length int) {
	for i := range length {
		b.IDs = append(b.IDs, -1)
		b.Positions = append(b.Positions, int32(i))
		b.Prefix = append(b.Prefix, int32(b.Images*length+i))
	}
	b.Images++
}

// tokens adds the rows of all tokens but the last, which predicts nothing.
func (b *Batch) tokens(t []int32, at int) {
	for i := range len(t) - 1 {
		b.IDs = append(b.IDs, t[i])
		b.Positions = append(b.Positions, int32(at+i))
		b.Prefix = append(b.Prefix, -1)
	}
}

// predict adds the targets of a caption whose first token the row before is to predict and whose rows come next. Token 0 is never a
// target: the original's loss ignores it as padding, a real "!" included.
func (b *Batch) predict(before int, t []int32) {
	next := len(b.IDs)
	for i, id := range t {
		from := before
		if i > 0 {
			from = next + i - 1
		}
		if id != 0 {
			b.From = append(b.From, int32(from))
			b.Targets = append(b.Targets, id)
		}
	}
}

// manyCaptions is how many captions Capacity looks at: the run of the original over Conceptual Captions has a quarter of them.
const manyCaptions = 1 << 27

// Capacity has room for each of the batches first … last-1, and for runs of very many captions for any batch there can be.
func (p *Packer) Capacity(s *Sampler, first, last int64) Size {
	if last-first > int64(manyCaptions/s.Batch) {
		return p.most(s.Batch)
	}
	var b Batch
	var most Size
	for i := first; i < last; i++ {
		if p.Shared {
			b.lay(p, s.Step(i))
			most = most.max(b.Size())
			continue
		}
		var n Size
		for _, c := range s.Step(i) {
			t := p.Captions.Length(int(c))
			n = Size{n.Images + 1, n.Rows + p.PrefixLength + max(0, t-1), n.Sequences + 1, n.Targets + t}
		}
		most = most.max(n)
	}
	return most
}

// most has room for any batch of n captions: the longest ones, each of another image, and each image with a sequence of its own.
func (p *Packer) most(n int) Size {
	lengths := make([]int, p.Captions.Len())
	for i := range lengths {
		lengths[i] = p.Captions.Length(i)
	}
	slices.Sort(lengths)
	var size Size
	for _, t := range lengths[max(0, len(lengths)-n):] {
		size = Size{size.Images + 1, size.Rows + p.PrefixLength + max(0, t-1), size.Sequences + 1, size.Targets + t}
	}
	if p.Shared {
		size.Sequences *= 2
	}
	return size
}
