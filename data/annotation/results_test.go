package annotation

import (
	"reflect"
	"strings"
	"testing"
)

const twoImages = `{"images":[{"id":7,"file_name":"a.jpg"},{"id":8}],"annotations":[{"image_id":8,"caption":"b"},{"image_id":7,"caption":"a"},{"image_id":7,"caption":"a a"}]}`

func parseSet(t *testing.T, text string, o Options) *Set {
	t.Helper()
	s, err := Parse(strings.NewReader(text), "refs", o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func parseResults(t *testing.T, text string) *Results {
	t.Helper()
	r, err := ParseResults(strings.NewReader(text), "results")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestParseResults(t *testing.T) {
	want := []Result{{"7", []string{"x"}}, {"q", []string{"y", "z"}}}
	for name, text := range map[string]string{
		"list":           `[{"image_id":7,"caption":"x"},{"image_id":"q","captions":[{"caption":"y","score":-1},{"caption":"z"}],"image":"f"}]`,
		"lines":          "\xEF\xBB\xBF{\"image_id\":7,\"caption\":\"x\"}\n\n{\"captions\":[{\"caption\":\"y\"},{\"caption\":\"z\"}],\"image_id\":\"q\"}\n",
		"failed":         `{"image_id":7,"caption":"x"} {"image_id":"q","captions":[{"caption":"y"},{"caption":"z"}]} {"image_id":8,"image":"8.png","error":"empty file"}`,
		"object":         `{"7":"x","q":["y","z"]}`,
		"object of many": ` {"7":["x"],"q":["y","z"]} `,
	} {
		if got := parseResults(t, text).List; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

// Every refusal says where, by id where there is one.
func TestParseResultsRefuses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "empty"},
		{" \n", "empty"},
		{"a dog", "no JSON"},
		{"\x1f\x8b\x08", "gzip"},
		{"[]", "no results"},
		{"{}", "no results"},
		{`[{"caption":"a"}]`, "object 1 has no image_id"},
		{`[{"image_id":1},{"image_id":2}]`, "image id 1: no caption"},
		{`[{"image_id":1,"caption":null}]`, "image id 1: no caption"},
		{`[{"image_id":1.5,"caption":"a"}]`, "1.5"},
		{`[{"image_id":"","caption":"a"}]`, "empty image id"},
		{`[{"image_id":1,"caption":"a"},{"image_id":"1","caption":"b"}]`, "image id 1 has two results"},
		{`{"5":"a","5":"b"}`, "image id 5 has two results"},
		{`{"5":[]}`, "image id 5: no caption"},
		{`{"5":7}`, "image id 5"},
		{`[{"image_id":1,"captions":[{"score":1}]}]`, "image id 1"},
		{`[{"image_id":1,"captions":[{"caption":1}]}]`, `object 1: "captions.caption" is a number, want a text`},
		{`[{"image_id":1,"row":"x"}]`, `object 1: "row" is a text, want a whole number`},
		{`[{"image_id":1,"caption":"a"}`, "in the middle of a JSON value"},
		{`[{"image_id":1,"caption":"a"}] x`, "after the end"},
		{`[{"image_id":9,"caption":"` + strings.Repeat("a", maxCaption+1) + `"}]`, "image id 9"},
	} {
		if _, err := ParseResults(strings.NewReader(c.text), "results"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.60q: error %v, want one with %q", c.text, err, c.want)
		}
	}
}

func TestJoin(t *testing.T) {
	s := parseSet(t, twoImages, Options{})
	pairs, err := Join(s, parseResults(t, `[{"image_id":8,"caption":"y"},{"image_id":"7","caption":"x","more":1}]`), false)
	if err != nil || len(pairs) != 2 || pairs[0].ID != "7" || pairs[0].Captions[0] != "x" || len(pairs[0].References) != 2 || pairs[0].File != "a.jpg" || pairs[1].ID != "8" {
		t.Errorf("%v, %v", pairs, err)
	}
	files := parseSet(t, `{"images":[{"id":7,"file_name":"val/COCO_0007.jpg"},{"id":8,"file_name":"b.png"}],"annotations":[{"image_id":7,"caption":"a"},{"image_id":8,"caption":"b"}]}`, Options{})
	if pairs, err := Join(files, parseResults(t, `{"COCO_0007":"x","8":"y"}`), false); err != nil || pairs[0].Captions[0] != "x" {
		t.Errorf("results named by their files: %v, %v", pairs, err)
	}
	if _, err := Join(files, parseResults(t, `{"COCO_0007":"x","7":"y","8":"y"}`), false); err == nil || !strings.Contains(err.Error(), "two results") {
		t.Errorf("one image under its id and its file: %v", err)
	}
	for _, c := range []struct {
		results, want string
		subset        bool
	}{
		{`{"7":"x"}`, "no result for image id 8", false},
		{`{"7":"x"}`, "", true},
		{`{"7":"x","8":"y","9":"z"}`, "image id 9 not in refs", true},
		{`{"1":"","2":"","3":"","4":"","5":"","6":""}`, "image id 1, 2, 3, 4, 5 and 1 more not in refs", false},
	} {
		_, err := Join(s, parseResults(t, c.results), c.subset)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.results, err, c.want)
		}
	}
	lonely := parseSet(t, `{"images":[{"id":7},{"id":8}],"annotations":[{"image_id":7,"caption":"a"}]}`, Options{})
	if _, err := Join(lonely, parseResults(t, `{"7":"x","8":"y"}`), false); err == nil || !strings.Contains(err.Error(), "image id 8") {
		t.Errorf("an image without a human caption: %v", err)
	}
	test := parseSet(t, `{"images":[{"id":7},{"id":8}]}`, Options{Dataset: "nocaps"})
	if pairs, err := Join(test, parseResults(t, `{"7":"x","8":"y"}`), false); err != nil || len(pairs) != 2 || test.HasReferences() {
		t.Errorf("a test set, whose captions are withheld: %v, %v", pairs, err)
	}
}

// Rows of Conceptual Captions are also written with eight digits.
func TestJoinConceptual(t *testing.T) {
	s := parseSet(t, "a dog\thttp://x\na cat .\thttp://y\n", Options{Dataset: "conceptual"})
	pairs, err := Join(s, parseResults(t, `{"00000001":"x","00000000":"y"}`), false)
	if err != nil || pairs[0].Captions[0] != "y" || pairs[1].References[0] != "a cat ." {
		t.Errorf("%v, %v", pairs, err)
	}
	if _, err := Join(s, parseResults(t, `{"00000001":"x","1":"y","0":"z"}`), false); err == nil || !strings.Contains(err.Error(), "two results") {
		t.Errorf("one row under two names: %v", err)
	}
}

func TestSetRefuses(t *testing.T) {
	for _, c := range []struct {
		text, want string
		o          Options
	}{
		{`{"images":[{"id":1},{"id":1}],"annotations":[]}`, "image id 1 stands there twice", Options{}},
		{`{"images":[{"id":1}],"annotations":[{"image_id":2,"caption":"a"}]}`, "image id 2", Options{}},
		{`{"images":[{"id":1}],"annotations":[{"image_id":1}]}`, "annotations[0]", Options{}},
		{`{"images":[],"annotations":[]}`, "no images", Options{}},
		{`{"info":{}}`, "no images", Options{}},
		{twoImages, "row 0: no tab", Options{Dataset: "conceptual"}},
		{twoImages, "image id 7: domain", Options{Dataset: "nocaps"}},
		{twoImages, "no splits", Options{Split: "test"}},
		{`{"images":[{"id":1,"domain":"in-domain"},{"id":2}],"annotations":[{"image_id":1,"caption":"a"}]}`, "image id 2: domain", Options{}},
		{`{"images":[{"cocoid":1,"split":"dev","sentences":[]}]}`, "image id 1: unknown split", Options{}},
		{`{"images":[{"cocoid":1,"split":"test","sentences":[{}]}]}`, "image id 1: a sentence without raw", Options{}},
		{`{"images":[{"split":"test","sentences":[]}]}`, "images[0] has neither cocoid nor imgid", Options{}},
		{`{"images":[{"cocoid":1,"imgid":0,"split":"test","sentences":[]},{"imgid":1,"split":"test","sentences":[]}]}`, "images[1]: some images have a cocoid, others have none", Options{}},
		{`{"images":[{"imgid":0,"split":"test","sentences":[]},{"cocoid":1,"split":"test","sentences":[]}]}`, "images[1]: some images have a cocoid, others have none", Options{}},
		{`{"1":["a"],"1":["b"]}`, "image id 1 stands there twice", Options{}},
		{`{"1":"a"}`, "no list of texts", Options{}}, {`{"1":null}`, "no list of texts", Options{}},
	} {
		if _, err := Parse(strings.NewReader(c.text), "refs", c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.70q: error %v, want one with %q", c.text, err, c.want)
		}
	}
}

func TestLineSeparators(t *testing.T) {
	find := func(s string) rune {
		if strings.ContainsRune(s, '\u2028') {
			return '\u2028'
		}
		return -1
	}
	r := parseResults(t, "{\"1\":\"a\",\"5\":\"b\u2028c\u2028\"}")
	if err := r.LineSeparators(find, false); err == nil || !strings.Contains(err.Error(), "image id 5") || !strings.Contains(err.Error(), "U+2028") {
		t.Error(err)
	}
	if err := r.LineSeparators(find, true); err != nil || r.List[1].Captions[0] != "b c " {
		t.Errorf("%v, %q", err, r.List[1].Captions[0])
	}
	s := parseSet(t, "{\"1\":[\"a\",\"\u2028\"]}", Options{})
	if err := s.LineSeparators(find, false); err == nil || !strings.Contains(err.Error(), "image id 1") {
		t.Error(err)
	}
}

func FuzzResults(f *testing.F) {
	for _, s := range []string{`[{"image_id":7,"caption":"x"}]`, "{\"image_id\":7,\"caption\":\"x\"}\n{", `{"7":["x","y"]}`, "", "\xEF\xBB\xBF[]", `{"7":null}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ParseResults(strings.NewReader(string(text)), "fuzz")
		if err != nil {
			return
		}
		seen := map[ID]bool{}
		for _, res := range r.List {
			if res.ID == "" || seen[res.ID] || len(res.Captions) == 0 {
				t.Fatalf("%q: %+v", text, res)
			}
			seen[res.ID] = true
		}
		if len(r.List) == 0 {
			t.Fatal("no results and no error")
		}
	})
}
