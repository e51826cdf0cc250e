package meteor

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"
)

// Data are METEOR's English data: the word lists, and where the table of paraphrases lies.
type Data struct {
	// Paraphrases is the gzipped table, read anew by each [Data.Score]; "" scores without paraphrases, which no published METEOR does.
	Paraphrases string

	functions  map[string]bool
	prefixes   map[string]prefix
	synsets    map[string]string   // lemma → its synset numbers as the file writes them
	exceptions map[string][]string // inflected form → base forms
}

// A prefix says before what a word keeps its dot.
type prefix int

const (
	anyPrefix    prefix = iota + 1 // before anything
	numberPrefix                   // before a number
)

// The word lists, as a METEOR jar and a checkout's resources folder name them.
const (
	functionList  = "function/english.words"
	prefixList    = "nonbreaking/english.prefixes"
	synsetList    = "synonym/english.synsets"
	exceptionList = "synonym/english.exceptions"
	tableName     = "paraphrase-en.gz"
)

// maxList bounds a word list; METEOR's largest has 3.7 MB.
const maxList = 64 << 20

// Open reads METEOR 1.5's word lists from a METEOR checkout, from pycocoevalcap's meteor folder, whose jar holds them, or from such a
// jar itself, and finds the table of paraphrases beside them.
func Open(path string) (*Data, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	dir, jars := filepath.Dir(path), []string{path}
	if info.IsDir() {
		dir = path
		for _, lists := range []string{filepath.Join(path, "resources"), path} {
			if _, err := os.Stat(filepath.Join(lists, filepath.FromSlash(synsetList))); err == nil {
				return open(os.DirFS(lists), lists, dir)
			}
		}
		jars, _ = filepath.Glob(filepath.Join(strings.NewReplacer(`*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path), "*.jar"))
	}
	for _, jar := range jars {
		if info, err := os.Stat(jar); err == nil && !info.Mode().IsRegular() { // at a pipe, opening would wait
			return nil, fmt.Errorf("%s: no METEOR jar: not a regular file", jar)
		}
		z, err := zip.OpenReader(jar)
		if err != nil {
			return nil, fmt.Errorf("%s: no METEOR jar: %w", jar, err)
		}
		defer z.Close()
		if _, err := fs.Stat(z, synsetList); err == nil {
			return open(z, jar, dir)
		}
	}
	return nil, fmt.Errorf("%s: no METEOR data: want a folder with resources/%s or a METEOR 1.5 jar with %s in it", path, synsetList, synsetList)
}

// open reads the lists of files, whose place errors name, and looks for the table in dir.
func open(files fs.FS, place, dir string) (*Data, error) {
	d := new(Data)
	for _, list := range []struct {
		name  string
		parse func(string) error
	}{{functionList, d.parseFunctions}, {prefixList, d.parsePrefixes}, {synsetList, d.parseSynsets}, {exceptionList, d.parseExceptions}} {
		text, err := readList(files, list.name)
		if err == nil {
			err = list.parse(text)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", place, list.name, err)
		}
	}
	for _, table := range []string{filepath.Join(dir, "data", tableName), filepath.Join(dir, tableName)} {
		if _, err := os.Stat(table); err == nil {
			d.Paraphrases = table
			return d, nil
		}
	}
	return nil, fmt.Errorf("%s: no data/%s: METEOR without its table of paraphrases is another number than the published one", dir, tableName)
}

// readList reads a whole list; Latin-1, which METEOR's are in, becomes UTF-8.
func readList(files fs.FS, name string) (string, error) {
	f, err := files.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxList+1))
	switch {
	case err != nil:
		return "", err
	case len(text) > maxList:
		return "", fmt.Errorf("longer than %d bytes", maxList)
	case utf8.Valid(text):
		return string(text), nil
	}
	var out strings.Builder
	for _, b := range text {
		out.WriteRune(rune(b))
	}
	return out.String(), nil
}

func (d *Data) parseFunctions(text string) error {
	d.functions = map[string]bool{}
	for line := range strings.Lines(text) {
		d.functions[strings.TrimSpace(line)] = true
	}
	if delete(d.functions, ""); len(d.functions) == 0 {
		return errors.New("no words")
	}
	return nil
}

func (d *Data) parsePrefixes(text string) error {
	d.prefixes = map[string]prefix{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		word, mark, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case word == "":
		case strings.HasPrefix(strings.TrimSpace(mark), "#NUMERIC_ONLY#"):
			d.prefixes[word] = numberPrefix
		default:
			d.prefixes[word] = anyPrefix
		}
	}
	if len(d.prefixes) == 0 {
		return errors.New("no prefixes")
	}
	return nil
}

func (d *Data) parseSynsets(text string) error {
	d.synsets = make(map[string]string, strings.Count(text, "\n")/2)
	return pairs(text, func(lemma, numbers string) { d.synsets[lemma] = numbers })
}

func (d *Data) parseExceptions(text string) error {
	d.exceptions = map[string][]string{}
	return pairs(text, func(base, forms string) {
		for form := range strings.FieldsSeq(forms) {
			d.exceptions[form] = append(d.exceptions[form], base)
		}
	})
}

// pairs calls each with every two lines of a list.
func pairs(text string, each func(first, second string)) error {
	n := 0
	for text != "" {
		var first, second string
		var ok bool
		first, text, ok = strings.Cut(text, "\n")
		if !ok {
			return fmt.Errorf("entry %d has one line, want two", n+1)
		}
		second, text, _ = strings.Cut(text, "\n")
		each(strings.TrimSpace(first), strings.TrimSpace(second))
		n++
	}
	if n == 0 {
		return errors.New("no entries")
	}
	return nil
}
