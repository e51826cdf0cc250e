package gpt2

import (
	"errors"
	"fmt"
)

// Mode is a way of choosing words.
type Mode string

// The modes. Greedy is beam search with one beam.
const (
	Greedy Mode = "greedy" // the likeliest word at every step
	Beam   Mode = "beam"   // the original's beam search, normalised by length as it goes
	Sample Mode = "sample" // words drawn at random
)

// Options say how captions are written. Begin with DefaultOptions, the original's, and change what differs: the zero value of most fields is
// refused.
type Options struct {
	Mode      Mode
	Beam      int   // width of the search; beam search only
	N         int   // captions for each prompt: samples, or the best beams
	MaxTokens int   // tokens written at most, the stop token included
	Stop      int32 // the token that ends a caption
	// Temperature divides the logits. Scores are log-probabilities after that.
	Temperature float64
	TopK        int     // sample among the likeliest TopK words only; 0: all
	TopP        float64 // and among the fewest that have this probability together; 1: all
	Seed        uint64  // of the samples, which depend on it and on the prompt alone
	// LengthPenalty is the power of a caption's length its log-probability is divided by to rank it: 1 ranks by
	// the mean a token, as the original; more favours longer captions.
	LengthPenalty float64
	NoRepeat      int // no sequence of this many tokens comes twice in a caption; 0: any may. Not with Sample.
	Batch         int // prompts worked on at a time, 1 to 4096
}

// DefaultOptions are beam search with 5 beams for the best caption of at most 67 tokens that ends with ".".
func DefaultOptions() Options {
	return Options{Mode: Beam, Beam: 5, N: 1, MaxTokens: 67, Stop: 13, Temperature: 1, TopP: 1, LengthPenalty: 1, Batch: 16}
}

// width is how many captions of a prompt are under way at a time.
func (o *Options) width() int {
	switch o.Mode {
	case Beam:
		return o.Beam
	case Sample:
		return o.N
	}
	return 1
}

// Limits on what a caller may ask for; memory grows with them.
const (
	maxWidth = 1 << 10
	maxBatch = 1 << 12
)

// Check lists what is wrong with o whatever the model is, by the names of clipcap-caption's flags.
func (o Options) Check() error {
	roomy := Config{Vocab: 1 << 30, Positions: 1 << 30}
	return o.Validate(roomy, 1)
}

// Validate lists everything that is wrong with o for a model and prompts of at most longest rows, as Check does.
func (o Options) Validate(c Config, longest int) error {
	var errs []error
	bad := func(is bool, format string, args ...any) {
		if is {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	switch o.Mode {
	case Greedy:
		bad(o.N != 1, "--n %d: greedy gives 1 caption; beam search or sampling gives several (--decode)", o.N)
	case Beam:
		most := min(maxWidth, c.Vocab)
		bad(o.Beam < 1 || o.Beam > most, "--beam %d, want 1 to %d", o.Beam, most)
		bad(o.Beam >= 1 && o.Beam <= most && (o.N < 1 || o.N > o.Beam), "--n %d, want 1 to %d, the width of the beam search (--beam)", o.N, o.Beam)
	case Sample:
		bad(o.N < 1 || o.N > maxWidth, "--n %d, want 1 to %d samples", o.N, maxWidth)
		bad(o.NoRepeat != 0, "--no-repeat-ngram is for greedy and beam search")
	default:
		bad(true, "--decode %q, want greedy, beam or sample", o.Mode)
	}
	bad(o.MaxTokens < 1, "--max-tokens %d, want 1 or more", o.MaxTokens)
	bad(longest < 1, "the prompt is empty")
	bad(o.MaxTokens > 0 && longest > 0 && o.MaxTokens > c.Positions+1-longest,
		"a prompt of %d rows and --max-tokens %d after it need more than the model's %d positions", longest, o.MaxTokens, c.Positions)
	bad(o.Stop < 0 || int(o.Stop) >= c.Vocab, "the stop token %d is not in the vocabulary of %d", o.Stop, c.Vocab)
	bad(!(o.Temperature >= 1e-3 && o.Temperature <= 1e3), "--temperature %v, want 0.001 to 1000", o.Temperature)
	bad(o.TopK < 0, "--top-k %d, want 0 or more", o.TopK)
	bad(!(o.TopP > 0 && o.TopP <= 1), "--top-p %v, want more than 0 and at most 1", o.TopP)
	bad(!(o.LengthPenalty >= 0 && o.LengthPenalty <= 100), "--length-penalty %v, want 0 to 100", o.LengthPenalty)
	bad(o.NoRepeat < 0, "--no-repeat-ngram %d, want 0 or more", o.NoRepeat)
	bad(o.Batch < 1 || o.Batch > maxBatch, "--batch %d, want 1 to %d", o.Batch, maxBatch)
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("decoding options: %w", joinLine(errs))
	}
	return nil
}
