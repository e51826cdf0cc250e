package meteor

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The lists and the table of a METEOR small enough to read.
var smallLists = map[string]string{
	functionList:  "the\na\nof\non\n,\n.\n",
	prefixList:    "# prefixes\n\nMr\nNo #NUMERIC_ONLY# \nA\n",
	synsetList:    "car\n100 101\nautomobile\n100\nauto\n100 7\nchild\n200\nkid\n200 201\nrun\n300\nsprint\n300\ncaf\xe9\n400\n",
	exceptionList: "child\nchildren childrens\nrun\nran\n",
}

const smallTable = "0.5\nin front of\nbefore\n0.25\nbefore\nin front of\n0.1\na lot of\nmany\n0.1\nrides\nis riding on\n"

func gzipped(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(text))
	z.Close()
	return b.Bytes()
}

func writeFile(t testing.TB, path string, text []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkout writes a METEOR checkout.
func checkout(t testing.TB, table string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range smallLists {
		writeFile(t, filepath.Join(dir, "resources", name), []byte(text))
	}
	writeFile(t, filepath.Join(dir, "data", tableName), gzipped(table))
	return dir
}

// small opens the small METEOR.
func small(t testing.TB) *Data {
	t.Helper()
	d, err := Open(checkout(t, smallTable))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// writeJar writes pycocoevalcap's layout: a jar with the lists and the table beside it.
func writeJar(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range smallLists {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(text))
	}
	z.Close()
	writeFile(t, filepath.Join(dir, "meteor-1.5.jar"), b.Bytes())
	writeFile(t, filepath.Join(dir, "data", tableName), gzipped(smallTable))
	return dir
}

func TestOpenFindsTheData(t *testing.T) {
	jar := writeJar(t)
	flat := checkout(t, smallTable)
	if err := os.Rename(filepath.Join(flat, "data", tableName), filepath.Join(flat, "resources", tableName)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{checkout(t, smallTable), jar, filepath.Join(jar, "meteor-1.5.jar"), filepath.Join(flat, "resources")} {
		d, err := Open(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if !d.functions["the"] || d.prefixes["Mr"] != anyPrefix || d.prefixes["No"] != numberPrefix || d.synsets["café"] != "400" || d.exceptions["ran"][0] != "run" {
			t.Errorf("%s: %+v", path, d)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	for name, c := range map[string]struct {
		change func(dir string)
		want   string
	}{
		"no folder":     {func(dir string) { os.RemoveAll(dir) }, "no such file"},
		"no lists":      {func(dir string) { os.RemoveAll(filepath.Join(dir, "resources")) }, "no METEOR data"},
		"no table":      {func(dir string) { os.RemoveAll(filepath.Join(dir, "data")) }, "no data/paraphrase-en.gz"},
		"a list less":   {func(dir string) { os.Remove(filepath.Join(dir, "resources", functionList)) }, functionList},
		"an empty list": {func(dir string) { os.Truncate(filepath.Join(dir, "resources", exceptionList), 0) }, exceptionList},
		"half an entry": {func(dir string) { os.Truncate(filepath.Join(dir, "resources", synsetList), 3) }, "entry 1"},
		"a broken jar": {func(dir string) {
			os.RemoveAll(filepath.Join(dir, "resources"))
			os.WriteFile(filepath.Join(dir, "x.jar"), []byte("PK"), 0o644)
		}, "no METEOR jar"},
	} {
		dir := checkout(t, smallTable)
		c.change(dir)
		if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %v, want an error with %q", name, err, c.want)
		}
	}
}

func FuzzLists(f *testing.F) {
	for _, text := range smallLists {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var d Data
		if d.parseFunctions(text) == nil && (len(d.functions) == 0 || d.functions[""]) {
			t.Fatal("function words")
		}
		if d.parsePrefixes(text) == nil && len(d.prefixes) == 0 {
			t.Fatal("prefixes")
		}
		_, _ = d.parseSynsets(text), d.parseExceptions(text)
		for w := range strings.FieldsSeq(text) {
			numbers := d.synonyms(w)
			for i := 1; i < len(numbers); i++ {
				if numbers[i-1] >= numbers[i] {
					t.Fatalf("synsets of %q: %d", w, numbers)
				}
			}
		}
	})
}

// Whatever a jar holds, Open gives data that can be used or one line that names the jar.
func FuzzJar(f *testing.F) {
	jar, err := os.ReadFile(filepath.Join(writeJar(f), "meteor-1.5.jar"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(jar)
	f.Add(jar[:len(jar)/2])
	f.Add([]byte("PK"))
	f.Fuzz(func(t *testing.T, jar []byte) {
		dir := t.TempDir()
		path := filepath.Join(dir, "x.jar")
		writeFile(t, path, jar)
		writeFile(t, filepath.Join(dir, tableName), gzipped(smallTable))
		d, err := Open(path)
		switch {
		case err != nil:
			if d != nil || !strings.Contains(err.Error(), path) {
				t.Fatalf("%v and %q, which does not name the jar", d, err)
			}
		case len(d.functions) == 0 || len(d.prefixes) == 0 || d.Paraphrases == "":
			t.Fatal("data with an empty list or no table")
		}
	})
}
