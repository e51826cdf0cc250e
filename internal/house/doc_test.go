package house

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// Every exported name of every public package has a sentence.
func TestExportedNamesAreDocumented(t *testing.T) {
	const root = "../.."
	names := 0
	err := filepath.WalkDir(root, func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		switch name := d.Name(); {
		case dir != root && strings.HasPrefix(name, "."), name == "internal", name == "testdata", name == "cmd", name == "scripts":
			return filepath.SkipDir
		}
		paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			return err
		}
		files, set := map[string][]*ast.File{}, token.NewFileSet()
		for _, path := range paths {
			f, err := parser.ParseFile(set, path, nil, parser.ParseComments)
			if err != nil {
				return err
			}
			if name := f.Name.Name; name != "main" && !strings.HasSuffix(path, "_test.go") {
				files[name] = append(files[name], f)
			}
		}
		for _, list := range files {
			p, err := doc.NewFromFiles(set, list, dir)
			if err != nil {
				return err
			}
			names += documented(t, dir, p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if names < 200 {
		t.Errorf("%d exported names found: the walk misses some", names)
	}
}

// documented reports names without a comment, and counts all.
func documented(t *testing.T, dir string, p *doc.Package) (names int) {
	say := func(name, text string) {
		if names++; text == "" {
			t.Errorf("%s: %s has no comment", dir, name)
		}
	}
	functions := func(prefix string, list []*doc.Func) {
		for _, f := range list {
			say(prefix+f.Name, f.Doc)
		}
	}
	values := func(list []*doc.Value) {
		for _, v := range list {
			for _, spec := range v.Decl.Specs {
				s, ok := spec.(*ast.ValueSpec)
				if ok && ast.IsExported(s.Names[0].Name) {
					say(s.Names[0].Name, v.Doc+s.Doc.Text()+s.Comment.Text())
				}
			}
		}
	}
	values(p.Consts)
	values(p.Vars)
	functions("", p.Funcs)
	for _, typ := range p.Types {
		say(typ.Name, typ.Doc)
		values(typ.Consts)
		values(typ.Vars)
		functions(typ.Name+".", typ.Funcs)
		functions(typ.Name+".", typ.Methods)
	}
	return names
}
