package extract

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/data/annotation"
)

// outcome loads every item of a source and tells its id with what came of it: the size of the file, or the status.
func outcome(t *testing.T, s Source) []string {
	t.Helper()
	items, err := s.Items(0, s.Len())
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, it := range items {
		data, err := it.load(context.Background())
		what := fmt.Sprint(len(data))
		if f, ok := err.(*Failure); ok {
			what = f.Status
		} else if err != nil {
			t.Errorf("%s: %v is no Failure", it.ID, err)
		}
		all = append(all, string(it.ID)+" "+what)
	}
	return all
}

func expect(t *testing.T, what string, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestFolderAndList(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"b.png", "a/x.JPG", "a/x.png", "notes.txt", "c.webp"} {
		write(t, filepath.Join(dir, name), make([]byte, i+1))
	}
	expect(t, "folder", outcome(t, open(t, dir, SourceOptions{})), []string{"a/x.JPG 2", "a/x.png 3", "b 1", "c 5"})
	if link := filepath.Join(t.TempDir(), "link"); os.Symlink(dir, link) == nil {
		expect(t, "link to a folder", outcome(t, open(t, link, SourceOptions{})), []string{"a/x.JPG 2", "a/x.png 3", "b 1", "c 5"})
	}
	telephone := t.TempDir()
	write(t, filepath.Join(telephone, "IMG_1.HEIC"), []byte("xxx"))
	expect(t, "a kind that is not read", outcome(t, open(t, telephone, SourceOptions{})), []string{"IMG_1 3"})
	list := filepath.Join(dir, "list")
	write(t, list, []byte("\xef\xbb\xbf"+filepath.Join(dir, "b.png")+"\r\n\n"+filepath.Join(dir, "gone.png")+"\n"+dir))
	got := outcome(t, open(t, list, SourceOptions{}))
	for i := range got {
		got[i] = strings.TrimPrefix(strings.TrimPrefix(got[i], stem(dir)), "/")
	}
	expect(t, "list", got, []string{"b 1", "gone missing", " unreadable"})
	expect(t, "pattern", outcome(t, open(t, filepath.Join(dir, "*.png"), SourceOptions{})), []string{"b 1"})
}

// member writes n bytes to a tar.
func member(t *testing.T, w *tar.Writer, h tar.Header, n int) {
	t.Helper()
	h.Size, h.Mode = int64(n), 0o600
	if err := w.WriteHeader(&h); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, n)); err != nil {
		t.Fatal(err)
	}
}

func TestTars(t *testing.T) {
	dir := t.TempDir()
	for i, keys := range [][]string{{"000.jpg", "000.txt", "001.jpg"}, {"002.jpg", "001.jpg"}} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for j, name := range keys {
			member(t, w, tar.Header{Name: name}, 1000*i+j)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, fmt.Sprintf("%05d.tar", i)), b.Bytes())
	}
	expect(t, "folder of tars", outcome(t, open(t, dir, SourceOptions{})), []string{"000 0", "00000.tar/001 2", "002 1000", "00001.tar/001 1001"})
	expect(t, "one tar", outcome(t, open(t, filepath.Join(dir, "00000.tar"), SourceOptions{})), []string{"000 0", "001 2"})
	b, err := os.ReadFile(filepath.Join(dir, "00001.tar"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "cut.tar"), b[:512+900])
	if _, err := OpenSource(filepath.Join(dir, "cut.tar"), SourceOptions{}); err == nil || !strings.Contains(err.Error(), "cut.tar") {
		t.Errorf("a tar that is cut short: error %v", err)
	}
	write(t, filepath.Join(dir, "more", "a.jpg"), nil)
	if _, err := OpenSource(dir, SourceOptions{}); err == nil || !strings.Contains(err.Error(), "1 image and 3 tars in one folder: want one kind") {
		t.Errorf("a folder of images and tars: error %v", err)
	}
}

// TestSameNames: images have different ids wherever their files' names differ at all.
func TestSameNames(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.jpg", "a.png", "a.jpg.png"} {
		write(t, filepath.Join(dir, name), make([]byte, len(name)))
	}
	expect(t, "an extension within a name", outcome(t, open(t, dir, SourceOptions{})), []string{"a.jpg 5", "a.jpg.png 9", "a.png 5"})
	dir = t.TempDir()
	for i, part := range []string{"p1", "p2/deep"} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for j, name := range []string{"000.jpg", "001.jpg", "001.png"} {
			member(t, w, tar.Header{Name: name}, 10*i+j)
		}
		w.Close()
		write(t, filepath.Join(dir, part, "0.tar"), b.Bytes())
	}
	want := []string{"p1/0.tar/000 0", "p1/0.tar/001.jpg 1", "p1/0.tar/001.png 2",
		"p2/deep/0.tar/000 10", "p2/deep/0.tar/001.jpg 11", "p2/deep/0.tar/001.png 12"}
	expect(t, "tars of the same name", outcome(t, open(t, dir, SourceOptions{})), want)
	t.Chdir(filepath.Join(dir, "p1"))
	expect(t, "tars found from below", outcome(t, open(t, "../*/0.tar", SourceOptions{})), []string{"000 0", "0.tar/001.jpg 1", "0.tar/001.png 2"})
	write(t, "../p3/0.tar", nil)
	expect(t, "a pattern", outcome(t, open(t, "../p?/0.tar", SourceOptions{})), []string{"000 0", "p1/0.tar/001.jpg 1", "p1/0.tar/001.png 2"})
}

// TestTarLinks: an image that is a link has no bytes of its own, and is one that failed; what is compressed is named so.
func TestTarLinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "links.tar")
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	member(t, w, tar.Header{Name: "dir.jpg/", Typeflag: tar.TypeDir}, 0)
	member(t, w, tar.Header{Name: "a.jpg"}, 7)
	member(t, w, tar.Header{Name: "hard.jpg", Typeflag: tar.TypeLink, Linkname: "a.jpg"}, 0)
	member(t, w, tar.Header{Name: "soft.jpg", Typeflag: tar.TypeSymlink, Linkname: "a.jpg"}, 0)
	w.Close()
	write(t, path, b.Bytes())
	expect(t, "links", outcome(t, open(t, path, SourceOptions{})), []string{"a 7", "hard unreadable", "soft unreadable"})
	write(t, path, []byte("\x1f\x8b\x08 and so on"))
	if _, err := OpenSource(path, SourceOptions{}); err == nil || !strings.Contains(err.Error(), "unpack it") {
		t.Errorf("gzip under a tar's name: %v", err)
	}
}

func TestAnnotations(t *testing.T) {
	root := t.TempDir()
	for i, name := range []string{"val2014/COCO_val2014_000000000042.jpg", "plain.jpg", "000000000007.jpg"} {
		write(t, filepath.Join(root, name), make([]byte, i+1))
	}
	for _, c := range []struct {
		text, split string
		want        []string
	}{
		{`{"info": {"images": [1]}, "images": [{"id": 42, "file_name": "COCO_val2014_000000000042.jpg"}, {"id": 5, "file_name": "gone.jpg"}], "annotations": []}`, "",
			[]string{"42 1", "5 missing"}},
		{`{"dataset": "coco", "images": [{"filepath": "val2014", "filename": "COCO_val2014_000000000042.jpg", "cocoid": 42, "imgid": 0, "split": "test"},
			{"filename": "plain.jpg", "imgid": 1, "split": "train"}]}`, "test,val", []string{"42 1"}},
		{"\xef\xbb\xbf" + `{"images": [{"id": 42, "file_name": "COCO_val2014_000000000042.jpg"}]}`, "", []string{"42 1"}},
		{`[{"image_id": "42", "id": 1, "caption": "a"}, {"image_id": 42, "id": 2, "caption": "b"}, {"image_id": 7, "id": 3, "caption": "c"}]`, "", []string{"42 1", "7 3"}},
		{`[{"image_id": "plain.jpg", "caption": "a"}, {"image_id": "../x", "caption": "out"}]`, "", []string{"plain.jpg 2", "../x unreadable"}},
	} {
		path := filepath.Join(t.TempDir(), "a.json")
		write(t, path, []byte(c.text))
		expect(t, c.text, outcome(t, open(t, root, SourceOptions{Annotations: path, Split: c.split})), c.want)
	}
	for _, bad := range []string{`{}`, `3`, `{"images": 3}`, `[{"caption": "no id"}]`, `[{"image_id": 1}`, ``, "\x1f\x8b\x08"} {
		path := filepath.Join(t.TempDir(), "a.json")
		write(t, path, []byte(bad))
		if _, err := OpenSource(root, SourceOptions{Annotations: path}); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
	path := filepath.Join(t.TempDir(), "a.json")
	write(t, path, []byte(`{"images": [{"id": 1}, {"id": 42, "file_name": 7}]}`))
	if _, err := OpenSource(root, SourceOptions{Annotations: path}); err == nil || !strings.Contains(err.Error(), `image 1 of the list: "file_name" is a number, want a text`) {
		t.Errorf("a file name that is a number: %v", err)
	}
	write(t, path, []byte(`{"images": [{"id": 42, "file_name": "COCO_val2014_000000000042.jpg"}]}`))
	for _, o := range []SourceOptions{{Split: "test"}, {Split: "test", Annotations: path}} {
		if _, err := OpenSource(root, o); err == nil || !strings.Contains(err.Error(), `split "test"`) {
			t.Errorf("a split of what has none, annotations %q: %v", o.Annotations, err)
		}
	}
}

// TestTable reads lines around the marks of a long table.
func TestTable(t *testing.T) {
	var b strings.Builder
	for i := range 2100 {
		fmt.Fprintf(&b, "caption %d\thttp://h/%d\n", i, i)
	}
	b.WriteString("no address\nlast\thttps://h/last\textra")
	path := filepath.Join(t.TempDir(), "t.tsv")
	write(t, path, []byte(b.String()))
	s := open(t, path, SourceOptions{})
	if s.Len() != 2102 {
		t.Fatalf("%d lines, want 2102", s.Len())
	}
	for _, from := range []int{0, 1, 1023, 1024, 1025, 2048, 2099} {
		items, err := s.Items(from, from+1)
		if err != nil || len(items) != 1 || items[0].File != fmt.Sprintf("http://h/%d", from) || items[0].ID != annotation.ID(fmt.Sprint(from)) {
			t.Errorf("line %d: %+v (%v)", from, items, err)
		}
	}
	items, err := s.Items(2100, 2102)
	if err != nil || items[1].File != "https://h/last" {
		t.Errorf("last line: %+v (%v)", items, err)
	}
	if _, err := items[0].load(context.Background()); err == nil {
		t.Error("a line without an address was fetched")
	}
}

func FuzzAnnotations(f *testing.F) {
	f.Add(`{"images": [{"id": 1, "file_name": "a.jpg"}]}`)
	f.Add(`[{"image_id": 3}]`)
	f.Fuzz(func(t *testing.T, text string) {
		eachImage(strings.NewReader(text), func(e entry, _ bool) error {
			_ = e.item("1", "root").File
			return nil
		})
	})
}

func FuzzTar(f *testing.F) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "a.jpg", Size: 3, Mode: 0o600}); err != nil {
		f.Fatal(err)
	}
	w.Write([]byte("abc"))
	w.Close()
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "a.tar")
		write(t, path, data)
		s, err := OpenSource(path, SourceOptions{})
		if err != nil {
			return
		}
		defer s.Close()
		items, err := s.Items(0, s.Len())
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range items {
			if _, err := it.load(context.Background()); err != nil && !strings.HasPrefix(err.Error(), "a link or a sparse file") {
				t.Errorf("%s: %v, though the header was accepted", it.File, err)
			}
		}
	})
}
