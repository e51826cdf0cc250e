package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// texts writes files and returns their folder.
func texts(t *testing.T, all map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range all {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// call runs the command in dir: the words of line, DIR being the folder.
func call(t *testing.T, dir, line string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	args := strings.Fields(line)
	for i, a := range args {
		args[i] = strings.ReplaceAll(a, "DIR", dir)
	}
	status = program().Run(t.Context(), args, &out, &err)
	return status, out.String(), err.String()
}

var inputs = map[string]string{
	"refs.json":   `{"1": ["a dog runs on grass", "the dog is running"], "2": ["a red bus", "a bus in the street"]}`,
	"res.json":    `[{"image_id": 2, "caption": "A red bus in the street."}, {"image_id": 1, "caption": "A dog runs."}]`,
	"other.json":  `{"1": "a cat", "2": "the street"}`,
	"part.json":   `{"1": "a cat"}`,
	"more.json":   `{"1": "a cat", "2": "", "3": "x"}`,
	"double.json": `[{"image_id": 1, "caption": "a"}, {"image_id": 1, "caption": "b"}]`,
	"line.json":   "{\"1\": \"a\u2028cat\", \"2\": \"b\"}",
	"empty.json":  `{"1": "", "2": "a bus"}`,
	"caps.txt":    "A dog's bone.\n\nDon't (stop)!\n",
	"coco.json":   `{"images":[{"id":1,"file_name":"COCO_val2014_000000000001.jpg"},{"id":2,"file_name":"COCO_val2014_000000000002.jpg"}],"annotations":[{"image_id":2,"caption":"a bus"},{"image_id":1,"caption":"a dog"}]}`,
	"test.json":   `{"images":[{"id":1,"file_name":"a.jpg"},{"id":2,"file_name":"b.jpg"}]}`,
	"nocaps.json": `{"images":[{"id":1,"domain":"out-domain"},{"id":2,"domain":"in-domain"}],"annotations":[{"image_id":2,"caption":"a bus"},{"image_id":1,"caption":"a dog"}]}`,
	"karpathy.json": `{"dataset":"coco","images":[{"cocoid":1,"split":"test","sentences":[{"raw":"A dog"}]},{"cocoid":2,"split":"test","sentences":[{"raw":"a bus"}]},
		{"cocoid":3,"split":"val","sentences":[{"raw":"x"}]}]}`,
	"cc.tsv":    "a dog runs .\thttp://x\na red bus\thttp://y\n",
	"cc.json":   `{"00000000": "a dog", "00000001": "a bus"}`,
	"run.json":  `{"metrics": "rouge", "json": true}`,
	"plain.jar": "",
}

type output struct {
	Corpus  map[string]float64
	Domains map[string]map[string]float64
	Notes   []string
}

func TestScores(t *testing.T) {
	dir := texts(t, inputs)
	for _, c := range []struct {
		line   string
		corpus string // names in the order printed
		domain int
		notes  []string
	}{
		{"--annotations DIR/refs.json --results DIR/res.json --json", "Bleu_1 Bleu_2 Bleu_3 Bleu_4 ROUGE_L CIDEr", 0, []string{"METEOR not computed", "SPICE not computed"}},
		{"--annotations DIR/refs.json --results DIR/res.json --json --metrics cider,bleu", "Bleu_1 Bleu_2 Bleu_3 Bleu_4 CIDEr", 0, nil},
		{"--config DIR/run.json --annotations DIR/refs.json --results DIR/res.json", "ROUGE_L", 0, nil},
		{"-annotations DIR/refs.json -results DIR/part.json -json -metrics rouge -subset", "ROUGE_L", 0, []string{"1 of 2 images have no caption"}},
		{"--annotations DIR/refs.json --results DIR/empty.json --json --metrics rouge", "ROUGE_L", 0, []string{"1 caption has no word"}},
		{"--annotations DIR/refs.json --results DIR/line.json --json --metrics rouge --sanitize", "ROUGE_L", 0, nil},
		{"--annotations DIR/nocaps.json --results DIR/other.json --json --metrics rouge,cider", "ROUGE_L CIDEr", 3, []string{"in-domain has a single image", "out-domain has a single image", "domain's own images"}},
		{"--annotations DIR/nocaps.json --results DIR/other.json --json --metrics cider --df=all --dataset nocaps", "CIDEr", 3, []string{"--df=all"}},
		{"--annotations DIR/nocaps.json --results DIR/other.json --json --metrics cider --dataset coco", "CIDEr", 0, nil},
		{"--annotations DIR/karpathy.json --results DIR/other.json --json --metrics rouge --split test", "ROUGE_L", 0, nil},
		{"--annotations DIR/cc.tsv --results DIR/cc.json --json --metrics rouge --dataset conceptual", "ROUGE_L", 0, nil},
	} {
		status, out, errs := call(t, dir, c.line)
		var got output
		if err := json.Unmarshal([]byte(out), &got); err != nil || status != 0 || errs != "" {
			t.Errorf("%s: status %d, %q, %q, %v", c.line, status, out, errs, err)
			continue
		}
		at := 0
		for name := range strings.FieldsSeq(c.corpus) {
			next := strings.Index(out, fmt.Sprintf("%q:", name))
			if _, ok := got.Corpus[name]; !ok || next < at {
				t.Errorf("%s: no %s, or out of order: %s", c.line, name, out)
			}
			at = next
		}
		if len(got.Corpus) != len(strings.Fields(c.corpus)) || len(got.Domains) != c.domain || len(got.Notes) != len(c.notes) {
			t.Errorf("%s: %s", c.line, out)
			continue
		}
		for i, n := range c.notes {
			if !strings.Contains(got.Notes[i], n) {
				t.Errorf("%s: note %q, want %q", c.line, got.Notes[i], n)
			}
		}
	}
}

// The order of the results changes nothing.
func TestOrderOfResults(t *testing.T) {
	dir := texts(t, map[string]string{"refs.json": inputs["refs.json"], "a.json": inputs["res.json"], "b.json": `{"1": "A dog runs.", "2": "A red bus in the street."}`})
	_, a, _ := call(t, dir, "--annotations DIR/refs.json --results DIR/a.json --json")
	_, b, _ := call(t, dir, "--annotations DIR/refs.json --results DIR/b.json --json")
	if a != b || a == "" {
		t.Errorf("%s\n%s", a, b)
	}
}

func TestErrors(t *testing.T) {
	dir := texts(t, inputs)
	refs := "--annotations DIR/refs.json "
	for _, c := range []struct {
		line   string
		status int
		want   string
	}{
		{"", 2, "--annotations is missing"},
		{refs, 2, "--results is missing"},
		{refs + "--results DIR/res.json --model DIR", 2, "not both"},
		{refs + "--model DIR", 2, "one of --images and --features"},
		{refs + "--model DIR --images DIR --features DIR", 2, "one of --images and --features"},
		{refs + "--model DIR --features DIR --clip DIR", 2, "need no encoder"},
		{refs + "--results DIR/res.json --features DIR", 2, "--features is for --model"},
		{refs + "--model DIR --images DIR", 1, "--model: open model"},
		{refs + "--results DIR/res.json --metrics bleu,blue", 2, `unknown metric "blue"`},
		{refs + "--results DIR/res.json --beam 0", 2, "--beam 0, want 1 to 1024"},
		{refs + "--results DIR/res.json --beam 3", 2, "--beam has no effect with --results "},
		{refs + "--results DIR/res.json --seed 3", 2, "--seed has no effect without --bootstrap"},
		{refs + "--model DIR --images DIR --seed 3", 2, "--seed has no effect without --bootstrap"},
		{refs + "--results DIR/res.json --device tpu", 2, "--device"},
		{refs + "--results DIR/res.json --html DIR", 1, "a folder, want a file"},
		{refs + "--results DIR/res.json --per-image DIR/none/x", 1, "--per-image"},
		{refs + "--results DIR/res.json --dataset flickr", 2, "coco, nocaps, conceptual"},
		{refs + "--results DIR/res.json --df some", 2, "domain, all"},
		{refs + "--results DIR/res.json --split dev", 2, "want one of train"},
		{refs + "--results DIR/res.json --bootstrap -1", 2, "--bootstrap -1"},
		{refs + "--results DIR/res.json --compare DIR/other.json --bootstrap 0", 2, "--compare needs resamples"},
		{refs + "--results DIR/res.json --metrics bleu --meteor DIR", 2, "--metrics does not have meteor"},
		{refs + "--results DIR/res.json --meteor-check DIR/plain.jar", 2, "needs --meteor"},
		{refs + "--results DIR/res.json --clip DIR", 2, "--images is missing"},
		{refs + "--results DIR/res.json stray", 2, `"stray"`},
		{refs + "--results DIR/res.json --no-such", 2, "no-such"},
		{"--tokenize DIR/caps.txt --results DIR/res.json", 2, "--tokenize stands alone"},
		{"--tokenize DIR/none.txt", 1, "none.txt"},
		{refs + "--results DIR/none.json", 1, "--results: stat"},
		{refs + "--results DIR/part.json", 1, "no result for image id 2"},
		{refs + "--results DIR/more.json", 1, "image id 3 not in"},
		{refs + "--results DIR/double.json", 1, "image id 1 has two results"},
		{refs + "--results DIR/line.json", 1, "image id 1: its caption holds the line separator U+2028"},
		{refs + "--results DIR/caps.txt", 1, "no JSON"},
		{refs + "--results DIR/res.json --compare DIR/part.json", 1, "--compare: "},
		{refs + "--results DIR/res.json --meteor DIR", 1, "no METEOR"},
		{refs + "--results DIR/res.json --spice DIR", 1, "no spice-1.0.jar"},
		{refs + "--results DIR/res.json --html DIR/none/x.html", 1, "--html"},
		{refs + "--results DIR/res.json --html DIR/res.json", 1, "the same file as --results"},
		{refs + "--results DIR/res.json --split test", 1, "no splits"},
		{refs + "--results DIR/res.json --dataset nocaps", 1, "nocaps"},
		{refs + "--results DIR/res.json --submission DIR/x.zip", 1, "--submission: image id 1"},
		{refs + "--results DIR/res.json --clip DIR/res.json --images DIR", 1, "--clip-vocab"},
		{"--annotations DIR/caps.txt --results DIR/res.json", 1, "row 0: no tab"},
		{"--annotations DIR/test.json --results DIR/res.json", 1, "no human captions to score against"},
		{"--annotations DIR/test.json --results DIR/res.json --dataset nocaps", 1, "no human captions to score against"},
	} {
		status, out, errs := call(t, dir, c.line)
		if status != c.status || out != "" || !strings.Contains(errs, c.want) || strings.Count(errs, "\n") != 1 || !strings.HasPrefix(errs, "clipcap-eval: ") {
			t.Errorf("%q: status %d, %q, %q; want %d and %q", c.line, status, out, errs, c.status, c.want)
		}
	}
}

func TestTokenize(t *testing.T) {
	dir := texts(t, inputs)
	status, out, errs := call(t, dir, "--tokenize DIR/caps.txt")
	if status != 0 || out != "a dog 's bone\n\ndo n't -lrb- stop -rrb-\n" {
		t.Errorf("%d, %q, %q", status, out, errs)
	}
}

// Every kind of output at once.
func TestOutputs(t *testing.T) {
	dir := texts(t, inputs)
	status, out, errs := call(t, dir, "--annotations DIR/coco.json --results DIR/res.json --compare DIR/other.json --bootstrap 20 --training DIR/refs.json "+
		"--per-image DIR/p.json --html DIR/r.html --submission DIR/mine.zip --images DIR")
	if status != 0 {
		t.Fatalf("%d, %s", status, errs)
	}
	for _, want := range []string{"95 % interval", "difference", "training captions", "METEOR not computed"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	for _, name := range []string{"p.json", "r.html", "mine.zip"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A test set without human captions gives a submission and no scores.
func TestSubmissionOnly(t *testing.T) {
	dir := texts(t, inputs)
	for _, more := range []string{"", " --dataset nocaps"} {
		status, out, errs := call(t, dir, "--annotations DIR/test.json --results DIR/res.json --submission DIR/s.json --json"+more)
		var got output
		if err := json.Unmarshal([]byte(out), &got); err != nil || status != 0 || len(got.Corpus) != 0 || len(got.Notes) != 1 {
			t.Errorf("%d, %q, %q", status, out, errs)
		}
		text, err := os.ReadFile(filepath.Join(dir, "s.json"))
		if err != nil || !strings.HasPrefix(string(text), `[`+"\n"+`{"image_id":1,"caption":"A dog runs."}`) {
			t.Errorf("%s, %v", text, err)
		}
	}
}

// Help ends with an example that runs as it stands.
func TestHelpExample(t *testing.T) {
	status, out, _ := call(t, "", "--help")
	_, example, ok := strings.Cut(out, "\nExample:\n")
	if status != 0 || !ok || !strings.Contains(example, "clipcap-eval --annotations refs.json") {
		t.Fatalf("%d, %q", status, out)
	}
	dir := t.TempDir()
	for line := range strings.Lines(example) {
		if text, name, ok := strings.Cut(strings.TrimSpace(line), "' > "); ok {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.TrimPrefix(text, "echo '")), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if status, out, errs := call(t, dir, "--annotations DIR/refs.json --results DIR/results.json"); status != 0 || !strings.Contains(out, "CIDEr") {
		t.Errorf("%d, %q, %q", status, out, errs)
	}
}

// TestFullDisk holds that a report that cannot be written is an error that names its flag.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"refs.json", "res.json"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(inputs[name]), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no device that is always full here")
	}
	// By a link: should the device ever be replaced instead of written to, it is the link that goes.
	if err := os.Symlink("/dev/full", filepath.Join(dir, "full")); err != nil {
		t.Skip(err)
	}
	for _, flag := range []string{"--per-image", "--html", "--submission"} {
		status, _, log := call(t, dir, "--annotations DIR/refs.json --results DIR/res.json "+flag+" DIR/full")
		if status != 1 || !strings.Contains(log, flag+": ") || !strings.Contains(log, "no space left") || strings.Count(log, "\n") != 1 {
			t.Errorf("%s: status %d, %q", flag, status, log)
		}
	}
}
