package report

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/data/annotation"
)

func submitted(id, file, caption string) annotation.Pair {
	return annotation.Pair{Image: &annotation.Image{ID: annotation.ID(id), File: file}, Captions: []string{caption, "another sample"}}
}

func TestSubmission(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.json")
	pairs := []annotation.Pair{submitted("3", "", nasty), submitted("1", "", "")}
	if err := Submission(path, pairs); err != nil {
		t.Fatal(err)
	}
	res, err := annotation.ReadResults(path)
	if err != nil || len(res.List) != 2 || res.List[0].Captions[0] != nasty || res.List[1].ID != "1" {
		t.Errorf("%v, %v", res, err)
	}
	if text, _ := os.ReadFile(path); !bytes.Contains(text, []byte(`{"image_id":3,"caption":`)) {
		t.Errorf("%s", text)
	}
}

// The COCO server's archive takes a list for each set, and a second run of one replaces its list.
func TestSubmissionArchive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mine.zip")
	for _, p := range []annotation.Pair{
		submitted("1", "COCO_val2014_000000000001.jpg", "old"), submitted("2", "COCO_test2014_000000000002.jpg", "b"), submitted("1", "COCO_val2014_000000000001.jpg", "a"),
	} {
		if err := Submission(path, []annotation.Pair{p}); err != nil {
			t.Fatal(err)
		}
	}
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(r)
		if bytes.Contains(text, []byte("old")) {
			t.Errorf("%s holds the old list", f.Name)
		}
	}
	slices.Sort(names)
	if want := []string{"captions_test2014_mine_results.json", "captions_val2014_mine_results.json"}; !slices.Equal(names, want) {
		t.Errorf("%q, want %q", names, want)
	}
}

func TestSubmissionErrors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mine.zip")
	if err := Submission(path, []annotation.Pair{submitted("1", "1.jpg", "a")}); err == nil || !strings.Contains(err.Error(), "image id 1") {
		t.Errorf("no COCO name: %v", err)
	}
	mixed := []annotation.Pair{submitted("1", "COCO_val2014_1.jpg", "a"), submitted("2", "COCO_test2014_2.jpg", "a")}
	if err := Submission(path, mixed); err == nil || !strings.Contains(err.Error(), "val2014 and of test2014") {
		t.Errorf("two sets: %v", err)
	}
	if err := os.WriteFile(path, []byte("no archive"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Submission(path, mixed[:1]); err == nil || !strings.Contains(err.Error(), "no archive to add to") {
		t.Errorf("a file that is no archive: %v", err)
	}
	if text, _ := os.ReadFile(path); string(text) != "no archive" {
		t.Error("what was there is gone")
	}
	left, _ := os.ReadDir(dir)
	if len(left) != 1 {
		t.Errorf("temporary files stay: %v", left)
	}
}

// Whatever lies in the archive's place, a list is added and the other files are kept, or the archive stays as it is.
func FuzzSubmissionArchive(f *testing.F) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range []string{"captions_test2014_mine_results.json", "captions_val2014_mine_results.json", "notes.txt"} {
		w, err := z.Create(name)
		if err != nil {
			f.Fatal(err)
		}
		io.WriteString(w, "[]\n")
	}
	z.Close()
	f.Add(b.Bytes())
	f.Add(b.Bytes()[:b.Len()/2])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, before []byte) {
		path := filepath.Join(t.TempDir(), "mine.zip")
		if err := os.WriteFile(path, before, 0o644); err != nil {
			t.Fatal(err)
		}
		const list = "captions_val2014_mine_results.json"
		others, bad := archived(path, list)
		err := Submission(path, []annotation.Pair{submitted("1", "COCO_val2014_000000000001.jpg", "a dog")})
		if err != nil {
			if after, _ := os.ReadFile(path); !bytes.Equal(after, before) || !strings.Contains(err.Error(), path) {
				t.Fatalf("%v: the archive changed, or the error does not name it", err)
			}
			return
		}
		if bad != nil {
			t.Fatalf("an archive that cannot be read (%v) was replaced", bad)
		}
		kept, err := archived(path, list)
		if err != nil || len(kept) != len(others) {
			t.Fatalf("%d other files became %d, %v", len(others), len(kept), err)
		}
		for i, k := range kept {
			if k.name != others[i].name || !bytes.Equal(k.text, others[i].text) {
				t.Fatalf("%q changed", others[i].name)
			}
		}
	})
}
