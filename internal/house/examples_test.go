package house

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var example = regexp.MustCompile(`(?m)^func Example`)

// Every public package has an Example.
func TestPublicPackagesHaveExamples(t *testing.T) {
	has := map[string]bool{}
	for _, s := range sources(t) {
		if strings.Contains("/"+s.dir+"/", "/internal/") || strings.HasPrefix(s.dir, "cmd/") || strings.HasPrefix(s.dir, "scripts") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, s.path))
		if err != nil {
			t.Fatal(err)
		}
		has[s.dir] = has[s.dir] || s.test && example.Match(text)
	}
	for dir, found := range has {
		if !found {
			t.Errorf("%s has no Example", dir)
		}
	}
	if len(has) < 15 {
		t.Errorf("%d public packages found", len(has))
	}
}
