package data

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFindSpellings(t *testing.T) {
	f := &Features{rows: 3}
	f.name([]string{"COCO_val2014_000000000042.jpg", "dir/7.png", "a7"})
	for id, want := range map[string]int{"42": 0, "00042": 0, "COCO_val2014_000000000042.jpg": 0, "7": 1, "a7": 2, "x/a7.jpg": 2, "8": -1, "": -1, "0": -1} {
		got, ok := f.Find(id)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("Find(%q) = %d, want %d", id, got, want)
		}
	}
	f = &Features{rows: 2}
	f.name([]string{"1.jpg", "01.jpg"})
	if _, ok := f.Find("1"); ok {
		t.Error("Find took one of two images that could be meant")
	}
	f = &Features{rows: 2}
	if i, ok := f.Find("0"); i != 0 || !ok {
		t.Error("row 0 of unnamed features not found")
	}
}

func TestFeatureFolder(t *testing.T) {
	dir := t.TempDir()
	npy(t, filepath.Join(dir, "00000.npy"), 2, 3, plain)
	list := file(t, filepath.Join(dir, "00000.jsonl"), `{"id":"b","file":"b.jpg","row":1}
{"id":"bad","file":"bad.jpg","error":"not an image"}
{"id":7,"file":"a.jpg","row":0}`)
	file(t, filepath.Join(dir, "00000.json"), "{}")
	file(t, filepath.Join(dir, "00001.json"), "{}")
	file(t, filepath.Join(dir, "meta.json"), `{"clip":{"name":"RN50x4","sha256":"ab"},"dim":3}`)
	npy(t, filepath.Join(dir, "00001.npy"), 1, 3, func(i, j int) float32 { return -1 })
	file(t, filepath.Join(dir, "00001.jsonl"), `{"id":"c","row":0}`)
	f, err := OpenFeatures(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	x := make([]float32, 3)
	if i, ok := f.Find("c"); !ok || f.Rows() != 3 || f.Read(x, i) != nil || x[2] != -1 {
		t.Errorf("row of c: %d %v, %v", i, ok, x)
	}
	if f.Meta.CLIP.Name != "RN50x4" {
		t.Errorf("meta %+v", f.Meta)
	}
	if i, ok := f.Find("7"); !ok || i != 0 || f.ID(1) != "b" {
		t.Errorf("row of 7: %d %v; id of row 1: %s", i, ok, f.ID(1))
	}
	if _, ok := f.Find("bad"); ok {
		t.Error("an image that failed has a feature")
	}
	if err := f.Read(x, 3); err == nil {
		t.Error("row 3 of 3 was read")
	}
	for _, bad := range []struct{ text, want string }{
		{`{"id":"b","row":1}`, "no image has row 0"},
		{`{"id":"b","row":2}`, "row 2"},
		{`{"id":"b","row":0}` + "\n" + `{"id":"c","row":0}`, "twice"},
		{`{"row":0}`, "no id"},
		{`{`, "object 1"},
	} {
		file(t, list, bad.text)
		if _, err := OpenFeatures(dir); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%s: error %v, want one with %q", bad.text, err, bad.want)
		}
	}
	file(t, filepath.Join(dir, "meta.json"), `{"dim":4}`)
	file(t, list, `{"id":"b","row":1}{"id":7,"row":0}`)
	if _, err := OpenFeatures(dir); err == nil || !strings.Contains(err.Error(), "dim 4") {
		t.Errorf("a meta.json of another width: %v", err)
	}
	for meta, want := range map[string]string{
		`{"dim":3,"images":5,"shard_size":2}`: "00002.npy is not there", // what the third process of three was to write
		`{"dim":3,"images":4,"shard_size":2}`: "",
	} {
		file(t, filepath.Join(dir, "meta.json"), meta)
		f, err := OpenFeatures(dir)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", meta, err, want)
		}
		if err == nil {
			f.Close()
		}
	}
	os.Remove(filepath.Join(dir, "00001.json"))
	if _, err := OpenFeatures(dir); err == nil || !strings.Contains(err.Error(), "not finished") {
		t.Errorf("an unfinished shard: %v", err)
	}
	os.Remove(list)
	if _, err := OpenFeatures(dir); err == nil || !strings.Contains(err.Error(), "is missing") {
		t.Errorf("no list: %v", err)
	}
	if _, err := OpenFeatures(t.TempDir()); err == nil {
		t.Error("an empty folder was opened")
	}
	retrieval := t.TempDir()
	os.Mkdir(filepath.Join(retrieval, "img_emb"), 0o755)
	for i := range 11 {
		npy(t, filepath.Join(retrieval, "img_emb", fmt.Sprintf("img_emb_%d.npy", i)), 1, 2, func(_, j int) float32 { return float32(i) })
	}
	r, err := OpenFeatures(retrieval)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Read(x[:2], 10); err != nil || x[0] != 10 || r.Rows() != 11 {
		t.Errorf("row 10 of clip-retrieval's files: %v %v", x, err)
	}
}

// Features are told apart by their first row, their last, and all between where they are few.
func TestFingerprint(t *testing.T) {
	print := func(rows, changed int) string {
		x, err := OpenFeatures(npy(t, filepath.Join(t.TempDir(), "x.npy"), rows, 3, func(i, j int) float32 {
			if i == changed && j == 2 {
				return -1
			}
			return plain(i, j)
		}))
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		h, err := x.Fingerprint()
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	for _, c := range [][]int{{1, 0}, {2, 0, 1}, {64, 0, 31, 63}, {1000, 0, 999}} {
		rows := c[0]
		once, again := print(rows, -1), print(rows, -1)
		if once != again {
			t.Errorf("%d rows: two fingerprints of the same features", rows)
		}
		for _, changed := range c[1:] {
			if print(rows, changed) == once {
				t.Errorf("%d rows: row %d tells nothing", rows, changed)
			}
		}
	}
}
