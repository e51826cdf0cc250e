package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"strconv"
	"strings"
	"unicode"

	"github.com/clipcap-go/clipcap"
	"github.com/clipcap-go/clipcap/checkpoint"
	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/internal/cli"
	"github.com/clipcap-go/clipcap/internal/plural"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/weights/fetch"
)

// line is what is printed for an image.
type line struct {
	ID       annotation.ID `json:"image_id"`
	Image    string        `json:"image"`
	Captions []caption     `json:"captions,omitempty"`
	Prefix   []word        `json:"prefix,omitempty"`
	Error    string        `json:"error,omitempty"`
}

type caption struct {
	Caption string  `json:"caption"`
	Tokens  []int32 `json:"tokens"`
	Score   float64 `json:"score"`
}

// word is the nearest word to a row of the prefix.
type word struct {
	Word       string  `json:"word"`
	Token      int32   `json:"token"`
	Similarity float64 `json:"similarity"`
}

// run opens everything, then captions.
func (o *options) run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if err := o.findModels(); err != nil {
		return err
	}
	in, err := o.openInput(args)
	if err != nil {
		return err
	}
	defer in.close()
	m, err := clipcap.Open(ctx, o.model, o.open)
	if err != nil {
		return o.offerDownload(err)
	}
	cli.BoundGarbage()
	o.advise(m, stderr)
	complain := func(format string, args ...any) { fmt.Fprintf(stderr, format+"\n", args...) }
	done := func(int64) {}
	if !cli.Terminal(stdout) { // there the captions themselves show how far the work is
		bar := cli.NewProgress(stderr, "captions", int64(in.count), false)
		defer bar.Done()
		complain, done = bar.Line, bar.Add
	}
	failed, i := 0, 0
	for l, err := range o.lines(ctx, m, in) {
		if i == in.count { // what follows the last image concerns all
			return err
		}
		if ctx.Err() != nil {
			return cli.Interrupted(ctx.Err(), " after %d of %s, whose captions are written", i, plural.Of(in.count, "image"))
		}
		l.ID, l.Image = in.name(i)
		i++
		done(1)
		var wide *clipcap.WidthError
		switch {
		case err != nil && (ctx.Err() != nil || errors.As(err, &wide) && i == 1):
			return err
		case err != nil:
			failed++
			l.Error = err.Error()
			complain("clipcap-caption: %s: %s", plainName(l.Image), l.Error)
		}
		if err := o.print(stdout, &l, in.count); err != nil {
			return err
		}
	}
	switch {
	case i < in.count:
		if ctx.Err() != nil {
			return cli.Interrupted(ctx.Err(), " after %d of %s, whose captions are written", i, plural.Of(in.count, "image"))
		}
		return fmt.Errorf("stopped after %d of %s", i, plural.Of(in.count, "image"))
	case failed > 0:
		return fmt.Errorf("%d of %s failed", failed, plural.Of(in.count, "image"))
	}
	return nil
}

// findModels looks for the models before anything is opened: without them there is nothing to do, whatever the images are. It reads no
// weights and downloads nothing.
func (o *options) findModels() error {
	for _, m := range [][2]string{{"model", o.model}, {"gpt2", o.gpt2}, {"clip", o.clip}} {
		if m[1] == "" || strings.HasPrefix(m[1], "random:") {
			continue
		}
		path, err := fetch.Locate(m[1])
		if errors.As(err, new(*fetch.Missing)) && (o.download || m[0] == "clip") {
			continue // whether the encoder's width fits is known without it, and matters more
		}
		if info, e := os.Stat(path); err == nil && m[0] == "model" && e == nil && info.IsDir() {
			_, err = checkpoint.ReadConfig(path)
			if _, published := fetch.Find(m[1]); published && errors.Is(err, fs.ErrNotExist) {
				err = fmt.Errorf("the folder %s here is meant, not the published model of that name, and it is no checkpoint: %w", m[1], err)
			}
		}
		if err != nil {
			return o.offerDownload(fmt.Errorf("--%s %s: %w", m[0], m[1], err))
		}
	}
	return nil
}

// offerDownload adds to the error of a published model that is not here how to have it fetched.
func (o *options) offerDownload(err error) error {
	if o.download || !errors.As(err, new(*fetch.Missing)) {
		return err
	}
	return fmt.Errorf("%w; --download fetches it, and what belongs to it", err)
}

// advise says what a file of the original cannot.
func (o *options) advise(m *clipcap.Model, stderr io.Writer) {
	if c := m.Config(); m.Original() && o.open.Normalize == nil && c.Kind == mapping.KindTransformer && c.Feature == 640 && !c.Normalize {
		fmt.Fprintln(stderr, "clipcap-caption: note: the published transformer model was trained on normalised features: if this is it, use --model coco-transformer or --normalize")
	}
}

// lines are the captions, or the prefixes' words.
func (o *options) lines(ctx context.Context, m *clipcap.Model, in *input) iter.Seq2[line, error] {
	features := in.features(ctx, m)
	return func(yield func(line, error) bool) {
		if o.showPrefix {
			for words, err := range m.PrefixWords(ctx, features) {
				var l line
				for _, w := range words {
					l.Prefix = append(l.Prefix, word{w.Text, w.Token, w.Similarity})
				}
				if !yield(l, err) {
					return
				}
			}
			return
		}
		for captions, err := range m.CaptionFeatures(ctx, features) {
			var l line
			for _, c := range captions {
				l.Captions = append(l.Captions, caption{c.Text, c.Tokens, c.Score})
			}
			if !yield(l, err) {
				return
			}
		}
	}
}

// print writes a line of JSON, or the text with what is needed to tell texts apart.
func (o *options) print(w io.Writer, l *line, images int) error {
	if o.json {
		return cli.PrintJSON(w, l)
	}
	var texts []string
	for _, c := range l.Captions {
		text := onOneLine(c.Caption)
		if text == "" {
			text = strings.Trim(fmt.Sprint(c.Tokens), "[]")
		}
		if o.open.Decode.N > 1 {
			text = fmt.Sprintf("%.3f\t%s", c.Score, text)
		}
		texts = append(texts, text)
	}
	if o.showPrefix && l.Error == "" {
		var words []string
		for _, x := range l.Prefix {
			words = append(words, onOneLine(x.Word))
		}
		texts = []string{strings.Join(words, " ")}
	}
	for _, text := range texts {
		if images > 1 {
			text = plainName(l.Image) + "\t" + text
		}
		if _, err := fmt.Fprintln(w, text); err != nil {
			return err
		}
	}
	return nil
}

// plainName is a name that stays on its line and in its column: one with control characters is quoted.
func plainName(name string) string {
	if strings.IndexFunc(name, unicode.IsControl) >= 0 {
		return strconv.Quote(name)
	}
	return name
}

// onOneLine is a text whose line ends and tabs, which models write too, are spaces.
func onOneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.TrimSpace(text))
}
