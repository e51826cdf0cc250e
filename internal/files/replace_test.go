package files

import (
	"os"
	"path/filepath"
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
