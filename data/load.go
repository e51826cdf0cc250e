package data

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/internal/plural"
)

// Config says where captions come from and what becomes of them.
type Config struct {
	Captions  string             // a file of captions; "": those the feature pickle holds
	Options   annotation.Options // how to read it
	AddPeriod bool               // end every caption with a period, as the original's Conceptual Captions do
	// MaxTokens cuts longer captions. 0 is the original's rule: mean + 10 standard deviations of the lengths.
	MaxTokens int
	// MaxMissing is the share of captions that may lack a feature before Load refuses.
	MaxMissing float64
	Normalize  bool // features will be normalised: one of zeros is an error
	Vocab      int  // token ids must be below it
	// Encode appends a text's token ids to dst, as gpt2.Tokenizer's AppendEncode does. Captions that are token ids need none.
	Encode func(dst []int32, text string) []int32
	Keep   func(id annotation.ID) bool // captions of other images are passed over; nil: all are kept
}

// Captions are a data set's captions as token ids, each with its image's feature.
type Captions struct {
	Features *Features
	Join     Join
	Limit    int // the length in tokens captions were cut to

	tokens tokenList
	starts []uint32 // [captions+1]
	rows   []int32  // the feature of each caption
}

// Join is how captions and features met.
type Join struct {
	Kind      string   // of the caption file: coco, karpathy, conceptual, list, lines, map, pickle
	Captions  int      // with a feature
	Images    int      // with a caption
	Empty     int      // captions without a token
	Cut       int      // captions longer than Limit
	Unused    int      // features without a caption
	Missing   int      // captions without a feature, which are left out
	MissingID []string // ids of their images
}

// Len is the number of captions.
func (c *Captions) Len() int { return len(c.rows) }

// Tokens are those of caption i, from 0.
func (c *Captions) Tokens(i int) []int32 { return c.appendTokens(nil, i) }

// appendTokens appends those of caption i to dst.
func (c *Captions) appendTokens(dst []int32, i int) []int32 {
	return c.tokens.read(dst, c.starts[i], c.starts[i+1])
}

// Length is the number of tokens of caption i.
func (c *Captions) Length(i int) int { return int(c.starts[i+1] - c.starts[i]) }

// Row is the feature row of caption i.
func (c *Captions) Row(i int) int { return int(c.rows[i]) }

// Lengths are those of the longest caption and of the mean one, in tokens.
func (c *Captions) Lengths() (longest int, mean float64) {
	for i := range c.rows {
		longest = max(longest, c.Length(i))
	}
	return longest, float64(c.tokens.len()) / float64(max(1, len(c.rows)))
}

// Fingerprint tells one set of captions and features from another: a hash of tokens, lengths and rows, with the features' size.
// What numbers they are Features.Fingerprint tells.
func (c *Captions) Fingerprint() string {
	h := fnv.New64a()
	var b [4]byte
	add := func(x uint32) {
		binary.LittleEndian.PutUint32(b[:], x)
		h.Write(b[:])
	}
	var tokens []int32
	for i := range c.rows {
		tokens = c.appendTokens(tokens[:0], i)
		for _, t := range tokens {
			add(uint32(t))
		}
	}
	for i, r := range c.rows {
		add(c.starts[i])
		add(uint32(r))
	}
	return fmt.Sprintf("%d captions %016x of %d features of %d", len(c.rows), h.Sum64(), c.Features.Rows(), c.Features.Dim)
}

// maxTokens keeps offsets within 32 bits.
const maxTokens = math.MaxUint32

// Load reads captions, turns them into token ids, cuts the long ones, and joins them to features by their images' ids. A file that cannot be
// read as captions, a token id outside the vocabulary, no caption with a feature or none with a token, and more captions without one than Config.MaxMissing allows
// are errors.
func Load(f *Features, cfg Config) (*Captions, error) {
	l := &loader{cfg: cfg, to: &Captions{Features: f, tokens: makeTokenList(cfg.Vocab), starts: []uint32{0}}, missing: map[string]bool{}}
	kind, err := visit(f, cfg, l.take)
	if err != nil {
		return nil, fmt.Errorf("captions: %w", err)
	}
	l.to.Join.Kind = kind
	return l.finish()
}

// Visit calls take for every caption of a file that Config.Keep lets pass, in the file's order, with the row of its feature, -1 where there is
// none. Texts stay as they are. The first error, take's or the file's, ends it.
func Visit(f *Features, cfg Config, take func(row int, c annotation.Caption) error) error {
	_, err := visit(f, cfg, take)
	return err
}

// visit is Visit, and says what kind of file it was.
func visit(f *Features, cfg Config, take func(row int, c annotation.Caption) error) (kind string, err error) {
	each := func(c annotation.Caption) error {
		if cfg.Keep != nil && !cfg.Keep(c.Image) {
			return nil
		}
		row, ok := c.Row, c.Row < f.Rows()
		if c.Row < 0 {
			row, ok = f.Find(string(c.Image))
		}
		if !ok {
			row = -1
		}
		return take(row, c)
	}
	if cfg.Captions != "" {
		return annotation.Scan(cfg.Captions, cfg.Options, each)
	}
	if f.captions == nil {
		return "", fmt.Errorf("%s holds no captions: say where they are (--captions, --val-captions)", f.Path)
	}
	if cfg.Options.Split != "" {
		return "", fmt.Errorf("%s: split %q: a feature pickle has no splits, only Karpathy's dataset_coco.json has", f.Path, cfg.Options.Split)
	}
	for _, c := range f.captions {
		if err := each(annotation.Caption{Image: annotation.ID(c.image), Row: -1, Text: c.text}); err != nil {
			return "", err
		}
	}
	return "pickle", nil
}

// loader takes captions one by one.
type loader struct {
	cfg     Config
	to      *Captions
	missing map[string]bool
	ids     []int32 // of the caption in hand
}

// take adds a caption, or counts it as one without a feature where row is negative.
func (l *loader) take(row int, c annotation.Caption) error {
	set := l.to
	if row < 0 {
		set.Join.Missing++
		if !l.missing[string(c.Image)] {
			l.missing[string(c.Image)] = true
			set.Join.MissingID = append(set.Join.MissingID, string(c.Image))
		}
		return nil
	}
	l.ids = append(l.ids[:0], c.Tokens...)
	if c.Tokens == nil {
		if l.cfg.Encode == nil {
			return fmt.Errorf("image id %s: its caption is a text: want Config.Encode, which turns texts into token ids", c.Image)
		}
		text := c.Text
		if l.cfg.AddPeriod {
			text = addPeriod(text)
		}
		l.ids = l.cfg.Encode(l.ids, text)
	}
	for _, t := range l.ids {
		if t < 0 || int(t) >= l.cfg.Vocab {
			return fmt.Errorf("image id %s: token %d, want 0 to %d", c.Image, t, l.cfg.Vocab-1)
		}
	}
	set.tokens.add(l.ids)
	if set.tokens.len() > maxTokens || len(set.rows) >= math.MaxInt32 {
		return errors.New("more captions than 2^31 or tokens than 2^32")
	}
	if len(l.ids) == 0 {
		set.Join.Empty++
	}
	set.starts = append(set.starts, uint32(set.tokens.len()))
	set.rows = append(set.rows, int32(row))
	return nil
}

// addPeriod ends a caption as the original's add_period does: trimmed, one period at the end, no space before it.
func addPeriod(text string) string {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return ""
	case !strings.HasSuffix(text, "."):
		return text + "."
	case strings.HasSuffix(text, " ."):
		return text[:len(text)-2] + "."
	}
	return text
}

// finish refuses a bad join, and cuts what is too long.
func (l *loader) finish() (*Captions, error) {
	set := l.to
	j := &set.Join
	j.Captions = len(set.rows)
	total := j.Captions + j.Missing
	path := cmp.Or(l.cfg.Captions, set.Features.Path)
	switch {
	case total == 0 && l.cfg.Keep != nil:
		return nil, fmt.Errorf("captions %s: none of the share of images wanted", path)
	case total == 0:
		return nil, fmt.Errorf("captions %s: none", path)
	case j.Captions == 0:
		return nil, fmt.Errorf("captions %s: of %s none has a feature in %s (image ids as %s there, as %s here)",
			path, plural.Of(total, "caption"), set.Features.Path, plural.Few(j.MissingID), set.Features.ID(0))
	case j.Empty == j.Captions:
		return nil, fmt.Errorf("captions %s: none has a token", path)
	case float64(j.Missing) > l.cfg.MaxMissing*float64(total):
		return nil, fmt.Errorf("%d of %s without a feature in %s (image ids %s); --max-missing %.3g lets it pass",
			j.Missing, plural.Of(total, "caption"), set.Features.Path, plural.Few(j.MissingID), math.Ceil(1000*float64(j.Missing)/float64(total))/1000)
	}
	used := make([]bool, set.Features.Rows())
	for _, r := range set.rows {
		if !used[r] {
			used[r] = true
			j.Images++
		}
	}
	j.Unused = len(used) - j.Images
	if err := set.Features.checkFinite(used, l.cfg.Normalize); err != nil {
		return nil, err
	}
	set.Limit = l.cfg.MaxTokens
	if set.Limit == 0 {
		set.Limit = set.lengthRule()
	}
	set.cut(l.cfg.AddPeriod)
	set.starts, set.rows = slices.Clip(set.starts), slices.Clip(set.rows)
	return set, nil
}

// lengthRule is the longest caption the original keeps whole: min(int(mean + 10·std), longest), std with n-1 (train.py:71).
func (c *Captions) lengthRule() int {
	longest, mean := c.Lengths()
	if len(c.rows) < 2 {
		return longest
	}
	var sum float64
	for i := range c.rows {
		d := float64(c.Length(i)) - mean
		sum += d * d
	}
	return min(int(mean+10*math.Sqrt(sum/float64(len(c.rows)-1))), longest)
}

// cut shortens captions to Limit, in place. With keepLast the last token stays the last: a caption that loses its period never
// teaches to stop.
func (c *Captions) cut(keepLast bool) {
	to := 0
	for i := range c.rows {
		from, n := int(c.starts[i]), min(c.Length(i), c.Limit)
		if last := int(c.starts[i+1]) - 1; from+n <= last {
			c.Join.Cut++
			if keepLast && n > 0 {
				c.tokens.move(from+n-1, last, 1)
			}
		}
		// Starts of later captions are still those before the cut, and what moves, moves down.
		c.tokens.move(to, from, n)
		c.starts[i] = uint32(to)
		to += n
	}
	c.starts[len(c.rows)] = uint32(to)
	c.tokens.cut(to)
}
