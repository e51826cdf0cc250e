package data

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/weights"
)

func TestJoin(t *testing.T) {
	lines := []string{`{"image_id":1,"caption":"ab"}`, `{"image_id":"00000001","caption":"c"}`, `{"image_id":9,"caption":"d"}`, `{"row":0,"image_id":"x","tokens":[]}`}
	if _, err := load(t, 3, Config{}, lines...); err == nil || !strings.Contains(err.Error(), "1 of 4 captions without a feature") || !strings.Contains(err.Error(), "image ids 9") {
		t.Errorf("without a threshold: %v", err)
	}
	c, err := load(t, 3, Config{MaxMissing: 0.25}, lines...)
	if err != nil {
		t.Fatal(err)
	}
	want := Join{Kind: "lines", Captions: 3, Images: 2, Empty: 1, Unused: 1, Missing: 1, MissingID: []string{"9"}}
	if fmt.Sprint(c.Join) != fmt.Sprint(want) {
		t.Errorf("join %+v\nwant %+v", c.Join, want)
	}
	if c.Row(0) != 1 || c.Row(1) != 1 || c.Row(2) != 0 || !slices.Equal(c.Tokens(0), []int32{'a', 'b'}) {
		t.Errorf("rows %d %d %d, tokens %v", c.Row(0), c.Row(1), c.Row(2), c.Tokens(0))
	}
	for _, bad := range []struct{ line, want string }{
		{`{"row":3,"caption":"a"}`, "of 1 caption none has"},
		{`{"row":0,"tokens":[256]}`, "token 256, want 0 to 255"},
		{`{"row":0,"tokens":[-1]}`, "token -1"},
		{`{"row":0,"caption":""}`, "none has a token"},
	} {
		if _, err := load(t, 3, Config{MaxMissing: 1}, bad.line); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%s: error %v, want one with %q", bad.line, err, bad.want)
		}
	}
}

// Captions of a pickle are asked for what they do not have by its name.
func TestPickledCaptions(t *testing.T) {
	path := npy(t, filepath.Join(t.TempDir(), "x.npy"), 2, 3, plain)
	f, err := OpenFeatures(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.captions = []pickledCaption{{image: "0", text: "a"}, {image: "1", text: "b", row: 1}}
	if c, err := Load(f, Config{Vocab: 256, Encode: letters}); err != nil || c.Len() != 2 {
		t.Errorf("%v, %v", c, err)
	}
	for want, c := range map[string]Config{
		path + ": split \"val\": a feature pickle has no splits": {Options: annotation.Options{Split: "val"}},
		"captions " + path + ": none of the share of images":     {Keep: func(annotation.ID) bool { return false }},
	} {
		c.Vocab, c.Encode = 256, letters
		if _, err := Load(f, c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// An id that cannot be read is refused: the row's number in its place would make every caption an image of its own.
func TestPickledIDs(t *testing.T) {
	caption := func(id any) *weights.Dict {
		d := &weights.Dict{Entries: []weights.Entry{{Key: "clip_embedding", Value: int64(2)}, {Key: "caption", Value: "a"}}}
		if id != "none" {
			d.Entries = append(d.Entries, weights.Entry{Key: "image_id", Value: id})
		}
		return d
	}
	for _, c := range []struct {
		id   any
		want string
	}{{"x", "x"}, {int64(7), "7"}, {"none", "2"}} {
		if got, err := pickled(caption(c.id), 3); err != nil || got.image != c.want {
			t.Errorf("image_id %v: %+v, %v", c.id, got, err)
		}
	}
	for want, id := range map[string]any{"image_id is None, want an integer or a text": nil, "image_id is a float": 7.0, "image_id is a tuple": weights.Tuple{},
		"image_id is a record of numpy.core.multiarray.scalar": &weights.Record{Class: "numpy.core.multiarray.scalar"}} {
		if _, err := pickled(caption(id), 3); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	if _, err := pickled(caption(int64(1)), 2); err == nil || !strings.Contains(err.Error(), "clip_embedding 2, want a row below 2") {
		t.Errorf("a row that there is not: %v", err)
	}
}

// Captions that are texts need what turns them into tokens.
func TestWithoutEncode(t *testing.T) {
	features, err := OpenFeatures(npy(t, filepath.Join(t.TempDir(), "x.npy"), 2, 3, plain))
	if err != nil {
		t.Fatal(err)
	}
	defer features.Close()
	path := file(t, filepath.Join(t.TempDir(), "c.jsonl"), `{"row":1,"caption":"a"}`+"\n")
	if _, err := Load(features, Config{Captions: path, Vocab: 300}); err == nil || !strings.Contains(err.Error(), "image id 1: its caption is a text: want Config.Encode") {
		t.Errorf("%v", err)
	}
	if err := features.Read(make([]float32, 2), 0); err == nil || !strings.Contains(err.Error(), "room for 2 numbers, a feature has 3") {
		t.Errorf("%v", err)
	}
}

func TestAddPeriod(t *testing.T) {
	for in, want := range map[string]string{"": "", " a man \n": "a man.", "a man .": "a man.", "a man.": "a man.", "a man!": "a man!.", ".": ".", " .": "."} {
		if got := addPeriod(in); got != want {
			t.Errorf("AddPeriod(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestLengthRule holds the rule to numpy's mean + 10·std(ddof=1) for 200 short captions and a very long one:
// lengths [2]*200+[500]: mean 4.4776, std 35.126, rule 355.
func TestLengthRule(t *testing.T) {
	var lines []string
	for range 200 {
		lines = append(lines, `{"row":0,"caption":"ab"}`)
	}
	lines = append(lines, fmt.Sprintf(`{"row":0,"caption":%q}`, strings.Repeat("x", 499)+"."))
	for _, period := range []bool{false, true} {
		c, err := load(t, 1, Config{AddPeriod: period}, lines...)
		if err != nil {
			t.Fatal(err)
		}
		last := c.Tokens(200)
		want := int32('x')
		limit := 355
		if period {
			want, limit = '.', 356 // every short caption is one longer
		}
		if c.Limit != limit || len(last) != limit || last[len(last)-1] != want || c.Join.Cut != 1 {
			t.Errorf("period %v: limit %d, %d tokens, the last %q, %d cut", period, c.Limit, len(last), last[len(last)-1], c.Join.Cut)
		}
	}
	c, err := load(t, 1, Config{MaxTokens: 1}, `{"row":0,"caption":"ab"}`, `{"row":0,"caption":"cde"}`, `{"row":0,"caption":""}`)
	if err != nil || c.Join.Cut != 2 || !slices.Equal(c.Tokens(1), []int32{'c'}) || len(c.Tokens(2)) != 0 {
		t.Errorf("cut to 1: %v %+v", err, c)
	}
}
