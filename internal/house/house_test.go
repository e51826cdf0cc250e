package house

import (
	"path"
	"slices"
	"strings"
	"testing"
)

// within tells whether importPath is one of list or lies below one of them.
func within(importPath string, list []string) bool {
	return slices.ContainsFunc(list, func(l string) bool {
		return importPath == l || strings.HasPrefix(importPath, l+"/")
	})
}

// short turns an import path into the form the lists use, "" for the standard library.
func short(importPath string) string {
	if importPath == module {
		return "."
	}
	if own, ok := strings.CutPrefix(importPath, module+"/"); ok {
		return own
	}
	if first, _, _ := strings.Cut(importPath, "/"); !strings.Contains(first, ".") {
		return ""
	}
	return importPath
}

// room is the key of allowed that dir falls under: itself, "cmd" for a command, or the
// nearest folder above it that has a line.
func room(dir string) (string, bool) {
	for d := dir; ; d = path.Dir(d) {
		if _, ok := allowed[d]; ok && (d != "." || dir == ".") {
			return d, true
		}
		if d == "." {
			return "", false
		}
	}
}

func TestImportsPointOneWay(t *testing.T) {
	for _, s := range sources(t) {
		if s.dir != "." && strings.HasPrefix(s.dir, "scripts") {
			continue
		}
		r, ok := room(s.dir)
		if !ok {
			t.Errorf("%s: folder %s has no line in the allow-list (internal/house/allow_test.go)", s.path, s.dir)
			continue
		}
		for _, p := range s.imports() {
			p = short(p)
			switch {
			case p == "", p == s.dir, within(p, allowed[r]) && p != ".", p == "." && slices.Contains(allowed[r], "."):
			case p != "." && within(p, []string{r}) && r != "cmd" && r != ".": // a package and the folders below it
			case s.test && within(p, forTests):
			default:
				t.Errorf("%s imports %s, which the allow-list of %s does not have", s.path, p, r)
			}
		}
	}
}

// TestAllowListHasNoCycle holds the list itself to the rule it states.
func TestAllowListHasNoCycle(t *testing.T) {
	var visit func(dir string, above []string)
	visit = func(dir string, above []string) {
		if slices.Contains(above, dir) {
			t.Fatalf("the allow-list goes round: %s → %s", strings.Join(above, " → "), dir)
		}
		for _, p := range allowed[dir] {
			if _, own := allowed[p]; own {
				visit(p, append(above[:len(above):len(above)], dir))
			}
		}
	}
	for dir := range allowed {
		visit(dir, nil)
	}
}

func TestEveryPackageHasOneComment(t *testing.T) {
	comments := map[string][]string{} // of each folder, the files that carry a package comment
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		with := comments[s.dir]
		if s.syntax.Doc != nil {
			with = append(with, s.path)
			name := s.syntax.Name.Name
			want := "Package " + name + " "
			if name == "main" {
				want = "Command " + path.Base(s.dir) + " "
			}
			if text := s.syntax.Doc.Text(); !strings.HasPrefix(text, want) {
				t.Errorf("%s: the package comment starts %.30q, want %q", s.path, text, want)
			}
		}
		comments[s.dir] = with
	}
	for dir, files := range comments {
		if len(files) != 1 {
			t.Errorf("package in %s: want one package comment, have %d %v", dir, len(files), files)
		}
	}
}

func TestNoCgoWithoutTags(t *testing.T) {
	for _, s := range sources(t) {
		for _, p := range s.imports() {
			if within(p, cgoModules) && !s.needsTag(cgoTags) {
				t.Errorf("%s imports %s, so it needs a build constraint that asks for gpu or mpi", s.path, p)
			}
		}
	}
}

// TestGoOnly keeps other languages out of the product. Scripts may compare it with programs in Python.
func TestGoOnly(t *testing.T) {
	walk(t, func(name string) {
		if strings.HasPrefix(name, "scripts/") {
			return
		}
		switch path.Ext(name) {
		case ".py", ".ipynb", ".java", ".class", ".jar", ".js", ".so", ".a", ".o", ".dll":
			t.Errorf("%s: the product is Go and assembly; programs it is compared with go to scripts/", name)
		}
	})
}
