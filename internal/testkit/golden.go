// Package testkit holds what tests of several packages share: the way to the golden files and their models, a simulated GPU, commands run as
// processes, pipes, small disks, and comparisons of numbers with numbers and of samples with distributions.
package testkit

import (
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// Golden returns the path of a file or folder of the golden data, which lie in ../shared/golden seen from the module's root or in the
// folder that CLIPCAP_GOLDEN names. The test is skipped where they are not.
func Golden(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("CLIPCAP_GOLDEN")
	if dir == "" {
		dir = filepath.Join(moduleRoot(t), "..", "shared", "golden")
	}
	path := filepath.Join(dir, filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no golden data: %v", err)
	}
	return path
}

// moduleRoot is the folder of go.mod, at or above the test's.
func moduleRoot(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = up
	}
}

// GoldenJSON decodes a gzipped JSON file of the golden data into v, or skips the test as [Golden] does.
func GoldenJSON(t testing.TB, name string, v any) {
	t.Helper()
	f, err := os.Open(Golden(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := json.NewDecoder(z).Decode(v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
