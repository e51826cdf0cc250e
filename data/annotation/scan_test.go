package annotation

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestScan(t *testing.T) {
	for name, c := range map[string]struct {
		text, kind string
		o          Options
		want       []Caption
	}{
		"coco": {
			text: `{"info":{},"images":[{"id":7},{"id":8}],"annotations":[{"id":1,"image_id":8,"caption":"a b"},{"image_id":7,"caption":"c\n"}]}`,
			kind: "coco", want: []Caption{{"8", -1, "a b", nil}, {"7", -1, "c\n", nil}},
		},
		"captions before images": {
			text: `{"annotations":[{"image_id":8,"caption":"a"}],"images":[{"id":8}]}`,
			kind: "coco", want: []Caption{{"8", -1, "a", nil}},
		},
		"karpathy, two splits": {
			text: `{"images":[{"cocoid":1,"split":"train","sentences":[{"raw":"x"}]},{"cocoid":2,"split":"restval","sentences":[{"raw":"y"}]},{"cocoid":3,"split":"test","sentences":[{"raw":"z"}]}]}`,
			kind: "karpathy", o: Options{Split: "train,restval"}, want: []Caption{{"1", -1, "x", nil}, {"2", -1, "y", nil}},
		},
		"karpathy, the split scored by default": {
			text: `{"images":[{"cocoid":1,"split":"train","sentences":[{"raw":"x"}]},{"cocoid":3,"split":"test","sentences":[{"raw":"z"}]}]}`,
			kind: "karpathy", want: []Caption{{"3", -1, "z", nil}},
		},
		"karpathy, of Flickr": {
			text: `{"images":[{"sentids":[0],"imgid":0,"sentences":[{"tokens":["x"],"raw":"x","imgid":0,"sentid":0}],"split":"train","filename":"1000092795.jpg"},{"imgid":1,"split":"val","sentences":[{"raw":"y"}]}],"dataset":"flickr30k"}`,
			kind: "karpathy", o: Options{Split: "train"}, want: []Caption{{"0", -1, "x", nil}},
		},
		"flat list": {
			text: `[{"image_id":"000042","id":3,"caption":"a"},{"image_id":"42","caption":"b"}]`,
			kind: "list", want: []Caption{{"000042", -1, "a", nil}, {"42", -1, "b", nil}},
		},
		"lines": {
			text: "{\"row\":3,\"tokens\":[5,0,7]}\n{\"image_id\":9,\"caption\":\"a\"}\n{\"row\":0,\"image_id\":\"x\",\"caption\":\"\"}\n",
			kind: "lines", want: []Caption{{"3", 3, "", []int32{5, 0, 7}}, {"9", -1, "a", nil}, {"x", 0, "", nil}},
		},
		"lines that start with the caption's id": {
			text: "{\"id\":3,\"image_id\":9,\"caption\":\"a\"}\n{\"id\":4,\"image_id\":9,\"caption\":\"b\"}\n",
			kind: "lines", want: []Caption{{"9", -1, "a", nil}, {"9", -1, "b", nil}},
		},
		"categories first": {
			text: `{"categories":[],"images":[{"id":8}],"annotations":[{"image_id":8,"caption":"a"}]}`,
			kind: "coco", want: []Caption{{"8", -1, "a", nil}},
		},
		"conceptual, quotes literal": {
			text: "\"a man\thttp://x\nb .\thttp://y\n",
			kind: "conceptual", want: []Caption{{"0", -1, "\"a man", nil}, {"1", -1, "b .", nil}},
		},
		"conceptual, quotes as csv": {
			text: "\"a\tman\nwalks\"\thttp://x\nb .\thttp://y\n",
			kind: "conceptual", o: Options{CSVQuotes: true}, want: []Caption{{"0", -1, "a\tman\nwalks", nil}, {"1", -1, "b .", nil}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := write(t, c.text)
			var got []Caption
			kind, err := Scan(path, c.o, func(c Caption) error { got = append(got, c); return nil })
			if err != nil || kind != c.kind || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s, %v, %v\nwant %s, %v", kind, got, err, c.kind, c.want)
			}
		})
	}
}

func TestScanRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "empty"},
		{`[{"caption":"a"}]`, "object 1 has no image_id"},
		{`[{"image_id":1}]`, "no caption"},
		{`[{"row":-1,"caption":"a"}]`, "row -1"},
		{`{"row":1,"caption":"a","tokens":[1]}`, "both caption and tokens"},
		{`{"row":1,"tokens":[99999999999]}`, "object 1"},
		{`[{"image_id":1,"caption":"a"`, "in the middle of a JSON value"},
		{`{"row":1,"tokens":[99999999999]}`, `"tokens" is 99999999999, want a whole number of 32 bits`},
		{`[{"image_id":1,"caption":["a"]}]`, `element 0: "caption" is a list, want a text`},
		{`[7]`, "element 0: a number where an object was expected"},
		{`{"images":[{"id":1,"file_name":7}]}`, `images[0]: "file_name" is a number, want a text`},
		{`{"images":[{"id":1,"sentences":[{"raw":{}}]}]}`, `images[0]: "sentences.raw" is an object, want a text`},
		{`{"images":[{"id":1}],"annotations":[{"image_id":1,"caption":true}]}`, `annotations[0]: "caption" is true or false, want a text`},
		{`{"images":7}`, `byte 11: "images" begins with 7 where [ was expected`},
		{"no tab here\n", "no tab"},
		{`{"1":["a"],"2":"b"}`, "image id 2: its captions are no list of texts"},
		{`{"1":["a",null]}`, "image id 1: its captions are no list of texts"},
		{`{"images":[{"id":1}],"images":[{"id":2}],"annotations":[]}`, "images stands there twice"},
		{`{"images":[{"id":1}],"annotations":[{"image_id":1,"caption":"a"}],"annotations":[]}`, "annotations stands there twice"},
		{`{"annotations":[],"annotations":[],"images":[{"id":1}]}`, "annotations stands there twice"},
		{"\xFF\xFE[\x00]\x00", "UTF-16"},
		{"\xFE\xFF\x00[\x00]", "UTF-16"},
		{"{\x00\"\x00", "UTF-16"},
		{"\x1F\x8B\x08\x08a\tb", "gzip-compressed: unpack it first"},
		{"\x80\x02}q\x00\tb", "this is no text"},
		{"\x00a\x00\t\x00b", "UTF-16"},
	} {
		_, err := Scan(write(t, c.text), Options{}, func(Caption) error { return nil })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: error %v, want one with %q", c.text, err, c.want)
		}
	}
	if _, err := Scan(write(t, `[]`), Options{Split: "train"}, nil); err == nil || !strings.Contains(err.Error(), "no splits") {
		t.Errorf("a split of a flat list: %v", err)
	}
	if _, err := Scan(write(t, "a\thttp://x\n"), Options{Dataset: "coco"}, func(Caption) error { return nil }); err == nil || !strings.Contains(err.Error(), "this is no coco file but conceptual") {
		t.Errorf("another data set than said: %v", err)
	}
}

func FuzzScan(f *testing.F) {
	f.Add([]byte(`{"images":[{"id":7}],"annotations":[{"image_id":7,"caption":"c"}]}`), "", false)
	f.Add([]byte(`{"images":[{"cocoid":1,"split":"train","sentences":[{"raw":"x"}]}]}`), "train", false)
	f.Add([]byte("{\"row\":3,\"tokens\":[5,0,7]}\n"), "", false)
	f.Add([]byte("\"a\tb\"\thttp://x\n"), "", true)
	f.Add([]byte(`{"1":["a","b"]}`), "", false)
	f.Fuzz(func(t *testing.T, text []byte, split string, quotes bool) {
		s := newSet("fuzz")
		kind, err := parse(strings.NewReader(string(text)), s, Options{Split: split, CSVQuotes: quotes})
		if err == nil && kind == "" {
			t.Error("no error and no kind")
		}
	})
}

func write(t *testing.T, text string) string {
	path := filepath.Join(t.TempDir(), "captions")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
