package extract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/internal/files"
	"github.com/clipcap-go/clipcap/internal/plural"
)

// Source is a list of images in a fixed order. OpenSource and ReadSource make one; a program's own may be made of FileItem's.
type Source interface {
	// Len is the number of images.
	Len() int
	// Items are the images [from, to), 0 ≤ from ≤ to ≤ Len. Nothing of them is read yet. An error ends a run.
	Items(from, to int) ([]Item, error)
	// Close closes the files.
	Close() error
}

// Remote tells whether images of a source are fetched from the web.
func Remote(s Source) bool {
	_, ok := s.(*remote)
	return ok
}

// Encodable tells whether a source is a .npy of pixels, which the encoder takes as they are.
func Encodable(s Source) bool {
	_, ok := s.(*pixels)
	return ok
}

// Item is one image of a source.
type Item struct {
	ID   annotation.ID
	File string // what it was read from: a path, an address, a member of a tar

	load   func(ctx context.Context) ([]byte, error)
	enter  func(ctx context.Context) (leave func(), err error) // of a fetch: waits for the host's turn, to be left after load; may be nil
	pixels func() ([]float32, error)                           // in place of load: ready for the encoder
}

// Failure is why an image has no feature.
type Failure struct {
	Status string // in a word; see the constants
	Err    error
}

// What a failed row's status can be.
const (
	Missing    = "missing"      // no such file
	Unreadable = "unreadable"   // the file is there but cannot be read
	NotImage   = "not-an-image" // of no known kind, such as an HTML page
	Damaged    = "damaged"      // cut short or broken
	NoAddress  = "no-address"   // the row of a table has no http or https address
	HTTPError  = "http"         // the server said no
	Network    = "network"      // no answer, in spite of retries
	TooLarge   = "too-large"    // more bytes or pixels than allowed
	Disallowed = "disallowed"   // the server asks not to be used for this
	NotFinite  = "not-finite"   // the encoder's feature holds NaN or infinity
)

// Error is the reason.
func (f *Failure) Error() string { return f.Err.Error() }

// Unwrap is the reason as an error.
func (f *Failure) Unwrap() error { return f.Err }

func fail(status, format string, args ...any) error {
	return &Failure{status, fmt.Errorf(format, args...)}
}

// SourceOptions say how a source is read.
type SourceOptions struct {
	Annotations string // an annotation file that says which images of the folder
	Split       string // of Karpathy's file: train, restval, val, test, with commas between; empty: all
	Fetch       Fetch
}

// extensions are those of the images that are looked for in folders and tars. The second line's kinds are not read: each is an image
// that failed, with its reason, where leaving it out would go unseen.
var extensions = []string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp",
	".heic", ".heif", ".avif", ".jxl", ".tif", ".tiff"}

func isImage(name string) bool {
	return slices.Contains(extensions, strings.ToLower(filepath.Ext(name)))
}

// OpenSource opens what a path names: a folder (its images, or those that SourceOptions.Annotations names, or its tars, not
// both), a .tar, a pattern such as "shards/*.tar", a .npy of pixels, a .tsv of captions and addresses, a .json of
// annotations, or a list, a path or address a line.
func OpenSource(path string, o SourceOptions) (Source, error) {
	s, err := openSource(path, o)
	if err != nil {
		return nil, fmt.Errorf("images %s: %w", path, err)
	}
	if s.Len() == 0 {
		s.Close()
		return nil, fmt.Errorf("images %s: no images in it", path)
	}
	return s, nil
}

// openSource is OpenSource; its errors do not name the path yet.
func openSource(path string, o SourceOptions) (Source, error) {
	if o.Split != "" && o.Annotations == "" && !strings.EqualFold(filepath.Ext(path), ".json") {
		return nil, fmt.Errorf("split %q: only an annotation file has splits, Karpathy's", o.Split)
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(path, "*?[") {
		names, err := filepath.Glob(path)
		if err != nil {
			return nil, err
		}
		return openFiles(names)
	} else if err != nil {
		return nil, err
	}
	switch ext := strings.ToLower(filepath.Ext(path)); {
	case info.Mode()&fs.ModeNamedPipe != 0 && o.Annotations == "":
		return openPipe(path, o)
	case info.IsDir() && o.Annotations != "":
		return openAnnotations(o.Annotations, path, o.Split)
	case o.Annotations != "":
		return nil, errors.New("an annotation file needs the folder of its images")
	case info.IsDir():
		return openFolder(path)
	case ext == ".tar":
		return openTars([]string{path})
	case ext == ".npy":
		return openPixels(path)
	case ext == ".tsv":
		return openTSV(path, o.Fetch)
	case ext == ".json":
		return openAnnotations(path, filepath.Dir(path), o.Split)
	case isImage(path):
		return openFiles([]string{path})
	case ext == ".gz" || ext == ".tgz":
		return nil, errCompressed
	}
	return openList(path, o.Fetch)
}

var errCompressed = errors.New("a compressed file cannot be read from the middle: unpack it to .tar")

// openPipe reads what comes through a pipe, as ReadSource does.
func openPipe(path string, o SourceOptions) (Source, error) {
	r, err := files.Stream(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return readSource(r, path, o)
}

// listed is a source whose images were all listed when it was opened.
type listed []Item

func (f listed) Len() int { return len(f) }

func (f listed) Items(from, to int) ([]Item, error) { return f[from:to], nil }

func (f listed) Close() error { return nil }

// maxFile bounds an image's file.
const maxFile = 1 << 28

// readFile is the load of a local file.
func readFile(path string) func(context.Context) ([]byte, error) {
	return func(context.Context) ([]byte, error) {
		f, err := files.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fail(Missing, "no such file")
		} else if err != nil {
			return nil, &Failure{Unreadable, plain(err)}
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil || !info.Mode().IsRegular() {
			return nil, fail(Unreadable, "not a regular file")
		}
		if info.Size() > maxFile {
			return nil, fail(TooLarge, "%d bytes, want at most %d", info.Size(), maxFile)
		}
		data := make([]byte, info.Size())
		if _, err := io.ReadFull(f, data); err != nil {
			return nil, &Failure{Unreadable, plain(err)}
		}
		return data, nil
	}
}

// plain is an error without the path, which the row names already.
func plain(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// stem is an image's id in a folder: its path inside without the extension.
func stem(path string) string {
	return strings.TrimSuffix(filepath.ToSlash(path), filepath.Ext(path))
}

// named gives images their ids, with extensions where two would be the same without.
func named(items listed) listed {
	items.tellApart(func(file string) string { return file })
	return items
}

// tellApart gives images that have the same id the names of their files, each name only where the ones before did not do.
func (f listed) tellApart(names ...func(file string) string) {
	for _, name := range names {
		for again := true; again; { // a new id may be one that another image has
			again = false
			count := map[annotation.ID]int{}
			for _, it := range f {
				count[it.ID]++
			}
			for i := range f {
				if id := annotation.ID(name(f[i].File)); count[f[i].ID] > 1 && f[i].ID != id {
					f[i].ID, again = id, true
				}
			}
		}
	}
}

// openFolder lists the images below a folder by their names, or, where there are none, its tars.
func openFolder(dir string) (Source, error) {
	var items listed
	var tars []string
	// With the separator a link to a folder is that folder, as data sets often lie elsewhere; links below it are not followed.
	err := filepath.WalkDir(dir+string(filepath.Separator), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if isImage(path) {
			items = append(items, Item{ID: annotation.ID(stem(rel)), File: filepath.ToSlash(rel), load: readFile(path)})
		} else if strings.EqualFold(filepath.Ext(path), ".tar") {
			tars = append(tars, path)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	switch {
	case len(tars) == 0:
		return named(items), nil
	case len(items) > 0:
		return nil, fmt.Errorf("%s and %s in one folder: want one kind, as a pattern such as %s names it",
			plural.Of(len(items), "image"), plural.Of(len(tars), "tar"), filepath.Join(dir, "*.tar"))
	}
	return openTars(tars)
}

// openFiles opens what a pattern matches: tars, or images.
func openFiles(names []string) (Source, error) {
	var items listed
	var tars []string
	for _, name := range names {
		switch {
		case strings.EqualFold(filepath.Ext(name), ".tar"):
			tars = append(tars, name)
		case isImage(name):
			items = append(items, Item{ID: annotation.ID(stem(filepath.Base(name))), File: filepath.ToSlash(name), load: readFile(name)})
		}
	}
	if len(tars) > 0 {
		if len(items) > 0 {
			return nil, errors.New("the pattern matches tars and images: want one kind")
		}
		return openTars(tars)
	}
	return named(items), nil
}

// openList reads a list: a path, from the current folder on, or an address a line.
func openList(path string, o Fetch) (Source, error) {
	text, err := files.ReadAll(path, maxFile)
	if err != nil {
		return nil, err
	}
	return list(text, o)
}

func list(text []byte, o Fetch) (Source, error) {
	if len(text) > 0 && slices.Contains(text[:min(len(text), 512)], 0) {
		return nil, errors.New("neither a list of files nor of a kind that is known (.tar, .npy, .tsv, .json, images)")
	}
	var items listed
	var web *fetcher
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // with which some editors begin a file
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		it := Item{ID: annotation.ID(stem(line)), File: filepath.ToSlash(line)}
		if isAddress(line) {
			if web == nil {
				web = newFetcher(o)
			}
			it.ID, it.File = annotation.ID(line), line
			web.item(&it, line)
		} else {
			it.load = readFile(line)
		}
		items = append(items, it)
	}
	if web != nil {
		return &remote{Source: named(items), fetcher: web}, nil
	}
	return named(items), nil
}

// remote is a source whose images are fetched from the web, many at a time.
type remote struct {
	Source
	*fetcher
}

func (r *remote) Close() error {
	r.fetcher.close()
	return r.Source.Close()
}
