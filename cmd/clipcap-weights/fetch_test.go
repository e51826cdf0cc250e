package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFetchFromAMirror: a model without a pinned hash comes whole, is listed then, and is not fetched twice.
func TestFetchFromAMirror(t *testing.T) {
	home := t.TempDir()
	t.Setenv("CLIPCAP_HOME", home)
	t.Setenv("HOME", t.TempDir())
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		if !strings.HasPrefix(r.URL.Path, "/akhaliq/") {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Write([]byte("weights"))
	}))
	defer server.Close()
	for range 2 {
		status, out, log := call(t, "fetch", "coco", "--base-url", server.URL)
		if want := filepath.Join(home, "models", "coco", "coco_weights.pt"); status != 0 || strings.TrimSpace(out) != want {
			t.Fatalf("exit %d, %q %q, want %s", status, out, log, want)
		}
	}
	if asked != 1 {
		t.Errorf("%d requests", asked)
	}
	if b, err := os.ReadFile(filepath.Join(home, "models", "coco", "coco_weights.pt")); err != nil || string(b) != "weights" {
		t.Errorf("%q, %v", b, err)
	}
	if _, out, _ := call(t, "list", "--json"); strings.Count(out, "\n") < 15 || strings.Count(out, `"path"`) != 1 {
		t.Errorf("list: %s", out)
	}
	if status, out, log := call(t, "fetch", "coco-transformer", "--base-url", server.URL, "--dir", home); status != 1 || !strings.Contains(log, "404") || !strings.Contains(log, "transformer_weights.pt") {
		t.Errorf("exit %d, %q %q", status, out, log)
	}
	if status, _, log := call(t, "fetch", "gpt9"); status != 2 || !strings.Contains(log, "gpt9") {
		t.Errorf("exit %d, %q", status, log)
	}
}
