package fetch

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// alone makes a machine with empty folders.
func alone(t *testing.T) (home, user string) {
	t.Helper()
	home, user = t.TempDir(), t.TempDir()
	t.Setenv("CLIPCAP_HOME", home)
	t.Setenv("HOME", user)
	t.Setenv("USERPROFILE", user)
	for _, name := range []string{"HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "HF_ENDPOINT"} {
		t.Setenv(name, "")
	}
	return home, user
}

func put(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err == nil {
		err = errors.Join(f.Truncate(size), f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestLocate(t *testing.T) {
	home, user := alone(t)
	var missing *Missing
	_, err := Locate("gpt2")
	if !errors.As(err, &missing) || !strings.Contains(err.Error(), "clipcap-weights fetch gpt2") || !strings.Contains(err.Error(), filepath.Join(home, "models", "gpt2")) {
		t.Errorf("nothing there: %v", err)
	}
	for name, want := range map[string]string{"gpt3": "neither a file nor", "no/such/file.pt": "no such file"} {
		if _, err := Locate(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	locate := func(name, want string) {
		t.Helper()
		if got, err := Locate(name); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", name, got, err, want)
		}
	}
	hub := filepath.Join(user, ".cache", "huggingface", "hub")
	old := filepath.Join(hub, "models--gpt2", "snapshots", "abc")
	put(t, filepath.Join(old, "config.json"), 665)
	put(t, filepath.Join(old, "pytorch_model.bin"), 7)
	locate("gpt2", filepath.Join(old, "pytorch_model.bin"))
	pinned := filepath.Join(hub, "models--openai-community--gpt2", "snapshots", gpt2[0].revision)
	put(t, filepath.Join(pinned, "config.json"), 665)
	put(t, filepath.Join(pinned, "model.safetensors"), 100) // half a download
	locate("gpt2", filepath.Join(old, "pytorch_model.bin"))
	put(t, filepath.Join(pinned, "model.safetensors"), gpt2[0].size)
	locate("GPT2", filepath.Join(pinned, "model.safetensors"))
	put(t, filepath.Join(user, ".cache", "clip", "ViT-B-32.pt"), 9)
	locate("ViT-B/32", filepath.Join(user, ".cache", "clip", "ViT-B-32.pt"))
	own := filepath.Join(home, "models", "ViT-B-32", "ViT-B-32.pt")
	put(t, own, 9)
	locate("ViT-B/32", own)
	locate("vit-b-32", own)
	locate(own, own)
	moved := t.TempDir()
	t.Setenv("HF_HOME", moved)
	medium := filepath.Join(moved, "hub", "models--openai-community--gpt2-medium")
	put(t, filepath.Join(medium, "snapshots", "r1", "config.json"), 1)
	put(t, filepath.Join(medium, "snapshots", "r1", "model.safetensors"), 1)
	locate("gpt2-medium", filepath.Join(medium, "snapshots", "r1", "model.safetensors"))
	if path, err := (&Fetcher{Base: map[Host]string{"": "http://127.0.0.1:1"}}).Fetch(t.Context(), mustFind(t, "gpt2-medium")); err != nil || !strings.Contains(path, "r1") {
		t.Errorf("fetch of what is there: %s, %v", path, err)
	}
}

func mustFind(t *testing.T, name string) Model {
	t.Helper()
	m, ok := Find(name)
	if !ok {
		t.Fatalf("no model %s", name)
	}
	return m
}

// TestTable: every name once, every hash a hash, OpenAI's hashes those in their addresses.
func TestTable(t *testing.T) {
	sum := regexp.MustCompile(`^[0-9a-f]{64}$`)
	seen := map[string]bool{}
	for _, m := range Models() {
		if seen[folderName(m.Name)] || len(m.Files) == 0 || !filepath.IsLocal(folderName(m.Name)) {
			t.Errorf("model %q comes twice or has no file or folder", m.Name)
		}
		seen[folderName(m.Name)] = true
		for _, f := range m.Files {
			if f.SHA256 != "" && !sum.MatchString(f.SHA256) || len(f.Sources) == 0 {
				t.Errorf("%s: %+v", m.Name, f)
			}
			for _, s := range f.Sources {
				if s.Host == OpenAI && !strings.Contains(s.Path, "/"+f.SHA256+"/"+f.Name) || !strings.HasPrefix(s.Path, "/") {
					t.Errorf("%s: %s", m.Name, s.Path)
				}
			}
		}
	}
}

func TestURL(t *testing.T) {
	alone(t)
	s := Source{HuggingFace, "/a/b"}
	f := &Fetcher{}
	if got := f.url(s); got != "https://huggingface.co/a/b" {
		t.Error(got)
	}
	t.Setenv("HF_ENDPOINT", "https://mirror.example/")
	if got := f.url(s); got != "https://mirror.example/a/b" {
		t.Error(got)
	}
	f.Base = map[Host]string{"": "http://one", HuggingFace: "http://two"}
	if got := f.url(s); got != "http://two/a/b" {
		t.Error(got)
	}
	if got := f.url(Source{OpenAI, "/c"}); got != "http://one/c" {
		t.Error(got)
	}
}
