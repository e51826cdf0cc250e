package house

import (
	"go/ast"
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// root is the module's folder, seen from this package's.
const root = "../.."

// source is one Go file of the module.
type source struct {
	path, dir string // slash-separated, from the module root
	test      bool
	syntax    *ast.File
}

// imports are the file's import paths.
func (s source) imports() []string {
	var all []string
	for _, i := range s.syntax.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		all = append(all, p)
	}
	return all
}

// needsTag tells whether the file is built only when one of tags is set.
func (s source) needsTag(tags map[string]bool) bool {
	for _, group := range s.syntax.Comments {
		if group.Pos() > s.syntax.Package {
			break
		}
		for _, c := range group.List {
			if !constraint.IsGoBuild(c.Text) {
				continue
			}
			x, err := constraint.Parse(c.Text)
			return err == nil && !x.Eval(func(tag string) bool { return !tags[tag] })
		}
	}
	return false
}

// walk calls f for every file of the module, as paths from its root; hidden folders,
// testdata and what the Makefile builds are left out.
func walk(t *testing.T, f func(name string)) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		switch base := path.Base(name); {
		case err != nil:
			return err
		case !d.IsDir():
			f(name)
		case name != "." && (base[0] == '.' || base[0] == '_' || base == "testdata"), name == "bin", name == "dist", name == "demo-out":
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sources parses every Go file of the module whatever its build tags, comments and imports only.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	files := token.NewFileSet()
	walk(t, func(name string) {
		if !strings.HasSuffix(name, ".go") || path.Base(name)[0] == '_' || path.Base(name)[0] == '.' {
			return
		}
		x, err := parser.ParseFile(files, filepath.Join(root, name), nil, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			t.Error(err)
			return
		}
		all = append(all, source{path: name, dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), syntax: x})
	})
	if len(all) == 0 {
		t.Fatal("no Go file found: is this test still two folders below the module root?")
	}
	return all
}
