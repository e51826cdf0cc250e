package files

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDirect(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(dir, "nothing")} {
		if f, err := Direct(path); f != nil || err != nil {
			t.Errorf("%s: %v, %v, want it to be replaced", path, f, err)
		}
	}
	if f, err := Direct(dir); err == nil {
		f.Close()
		t.Error("a folder is written to")
	}
	if err := os.Symlink(file, link); err != nil {
		t.Skip(err)
	}
	f, err := Direct(link)
	if f == nil || err != nil {
		t.Fatalf("a link is not written to: %v", err)
	}
	f.WriteString("new")
	f.Close()
	if text, err := os.ReadFile(file); string(text) != "new" || err != nil {
		t.Errorf("behind the link is %q (%v)", text, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().IsRegular() {
		t.Errorf("the link is gone (%v)", err)
	}
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if _, err := Direct(link); err == nil {
		t.Error("a link to a folder is written to")
	}
}

// TestReplaceIsAllOrNothing: an error leaves the old file and no other.
func TestReplaceIsAllOrNothing(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	put := func(text string, err error) error {
		return Replace(path, func(w io.Writer) error { io.WriteString(w, text); return err })
	}
	if err := put("old", nil); err != nil {
		t.Fatal(err)
	}
	if err := put("new", errors.New("disk trouble")); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	b, err := os.ReadFile(path)
	files, _ := os.ReadDir(dir)
	if err != nil || string(b) != "old" || len(files) != 1 {
		t.Errorf("%q, %v, %d files", b, err, len(files))
	}
	if err := put("new", nil); err != nil {
		t.Error(err)
	}
	if err := Replace(filepath.Join(dir, "none", "x"), func(io.Writer) error { return nil }); err == nil {
		t.Error("wrote into a folder that is not there")
	}
}
