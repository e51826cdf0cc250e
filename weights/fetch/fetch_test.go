package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// content is a file of n bytes.
func content(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7 >> 3)
	}
	return b
}

// site is a server of one file that misbehaves as it is told.
type site struct {
	data  []byte
	asked []string                                            // the Range of each request
	serve func(n int, w http.ResponseWriter, r *http.Request) // n counts requests from 1
}

func (s *site) start(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked = append(s.asked, r.Header.Get("Range"))
		s.serve(len(s.asked), w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// good answers as a web server does, ranges and all.
func (s *site) good(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("ETag", `"one"`)
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.data))
}

// cut sends only the first n bytes of what was asked for and drops the connection.
func (s *site) cut(w http.ResponseWriter, r *http.Request, n int) {
	from := 0
	if v, ok := strings.CutPrefix(r.Header.Get("Range"), "bytes="); ok {
		from, _ = strconv.Atoi(strings.TrimSuffix(v, "-"))
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(s.data)-1, len(s.data)))
	}
	w.Header().Set("ETag", `"one"`)
	w.Header().Set("Content-Length", strconv.Itoa(len(s.data)-from))
	if from > 0 {
		w.WriteHeader(http.StatusPartialContent)
	}
	w.Write(s.data[from:min(len(s.data), from+n)])
	panic(http.ErrAbortHandler)
}

func hashed(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// modelOf is a model of one file at the given paths of the test's server.
func modelOf(data []byte, paths ...string) Model {
	f := File{Name: "w.pt", SHA256: hashed(data)}
	for _, p := range paths {
		f.Sources = append(f.Sources, Source{OpenAI, p})
	}
	return Model{Name: "test", Kind: "clip", Files: []File{f}}
}

func fetcher(base string) *Fetcher {
	return &Fetcher{Base: map[Host]string{"": base}, Pause: time.Millisecond, Stall: 300 * time.Millisecond}
}

// fetched runs one download against a site and checks what lies in the folder after it.
func fetched(t *testing.T, s *site, m Model, f func(*Fetcher)) (dir string, err error) {
	t.Helper()
	dir = t.TempDir()
	g := fetcher(s.start(t))
	if f != nil {
		f(g)
	}
	path, err := g.FetchTo(t.Context(), m, dir)
	if err == nil {
		got, rerr := os.ReadFile(path)
		if rerr != nil || !bytes.Equal(got, s.data) {
			t.Errorf("the file differs, %v", rerr)
		}
		if files, _ := os.ReadDir(dir); len(files) != 1 {
			t.Errorf("%d files are left", len(files))
		}
	} else if _, serr := os.Stat(filepath.Join(dir, "w.pt")); serr == nil {
		t.Error("a file stands there after an error")
	}
	return dir, err
}

func TestFetch(t *testing.T) {
	data := content(1 << 20)
	s := &site{data: data}
	for name, serve := range map[string]func(n int, w http.ResponseWriter, r *http.Request){
		"good": func(_ int, w http.ResponseWriter, r *http.Request) { s.good(w, r) },
		"drops the connection three times": func(n int, w http.ResponseWriter, r *http.Request) {
			if n <= 3 {
				s.cut(w, r, 200_000)
			}
			s.good(w, r)
		},
		"stalls once": func(n int, w http.ResponseWriter, r *http.Request) {
			if n == 1 {
				w.Header().Set("Content-Length", strconv.Itoa(len(data)))
				w.Write(data[:1000])
				w.(http.Flusher).Flush()
				<-r.Context().Done()
				return
			}
			s.good(w, r)
		},
		"has no ranges": func(n int, w http.ResponseWriter, r *http.Request) {
			if n == 1 {
				s.cut(w, r, 5000)
			}
			r.Header.Del("Range")
			s.good(w, r)
		},
		"changes the file": func(n int, w http.ResponseWriter, r *http.Request) {
			if n == 1 {
				old := &site{data: content(1 << 19)}
				old.cut(w, r, 5000)
			}
			w.Header().Set("ETag", `"two"`)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
		},
		"is busy twice": func(n int, w http.ResponseWriter, r *http.Request) {
			if n <= 2 {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			s.good(w, r)
		},
		"redirects": func(_ int, w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/a" {
				http.Redirect(w, r, "/elsewhere?key=1", http.StatusFound)
				return
			}
			s.good(w, r)
		},
		"answers ranges with nonsense": func(n int, w http.ResponseWriter, r *http.Request) {
			switch {
			case n == 1:
				s.cut(w, r, 5000)
			case n == 2:
				w.Header().Set("Content-Range", "bytes 0-9/10")
				w.WriteHeader(http.StatusPartialContent)
				return
			}
			s.good(w, r)
		},
		"has the file at its mirror only": func(_ int, w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/a" {
				w.WriteHeader(http.StatusForbidden)
				return
			}
			s.good(w, r)
		},
		"has another file at the first place": func(_ int, w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/a" {
				w.Write([]byte("something else"))
				return
			}
			s.good(w, r)
		},
		"warns as Google Drive does": func(_ int, w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("confirm") != "t" || r.URL.Query().Get("uuid") != "a&b" {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				fmt.Fprint(w, `<!DOCTYPE html><html><body><form id="download-form" action="/download?x=1" method="get">
					<input type="submit"/><input type="hidden" name="confirm" value="t"><input type="hidden" name="uuid" value="a&amp;b"></form>`)
				return
			}
			s.good(w, r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s.serve, s.asked = serve, nil
			if _, err := fetched(t, s, modelOf(data, "/a", "/b"), nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestFetchResumes: what is there already is not sent again, in this run or another one.
func TestFetchResumes(t *testing.T) {
	data := content(300_000)
	s := &site{data: data}
	s.serve = func(n int, w http.ResponseWriter, r *http.Request) { s.cut(w, r, 100_000) }
	dir := t.TempDir()
	g := fetcher(s.start(t))
	ctx, cancel := context.WithCancel(t.Context())
	g.Log = func(string) { cancel() } // the user loses patience at the first trouble
	if _, err := g.FetchTo(ctx, modelOf(data, "/a"), dir); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	s.serve = func(_ int, w http.ResponseWriter, r *http.Request) { s.good(w, r) }
	if _, err := g.FetchTo(t.Context(), modelOf(data, "/a"), dir); err != nil {
		t.Fatal(err)
	}
	if len(s.asked) != 2 || !strings.HasPrefix(s.asked[1], "bytes=") || s.asked[1] == "bytes=0-" {
		t.Errorf("ranges asked for: %q", s.asked)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "w.pt")); err != nil || !bytes.Equal(got, data) {
		t.Errorf("the file differs, %v", err)
	}
}

func TestFetchFails(t *testing.T) {
	data := content(10_000)
	s := &site{data: data}
	sized := modelOf(data, "/a")
	sized.Files[0].Size = int64(len(data))
	for name, c := range map[string]struct {
		serve func(n int, w http.ResponseWriter, r *http.Request)
		model Model
		want  []string
	}{
		"forbidden":      {func(_ int, w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) }, modelOf(data, "/a", "/b"), []string{"403", "/b", "put it at"}},
		"another file":   {func(_ int, w http.ResponseWriter, r *http.Request) { w.Write(data[:9000]) }, modelOf(data, "/a"), []string{"SHA-256", hashed(data)}},
		"another length": {func(_ int, w http.ResponseWriter, r *http.Request) { w.Write(data[:100]) }, sized, []string{"100 bytes", "10000"}},
		"no end": {func(_ int, w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			w.Write(content(20_000))
		}, sized, []string{"more than the 10000 bytes"}},
		"lies about length": {func(_ int, w http.ResponseWriter, r *http.Request) { r.Header.Del("Range"); s.cut(w, r, 0) }, modelOf(data, "/a"), []string{"tries"}},
		"a page": {func(_ int, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html>Quota exceeded")
		}, modelOf(data, "/a"), []string{"web page"}},
		"page after page": {func(_ int, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<form action="/again"><input type="hidden" name="a" value="b">`)
		}, modelOf(data, "/a"), []string{"web page"}},
		"a form that leads away": {func(_ int, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<form action="https://evil.example/">`)
		}, modelOf(data, "/a"), []string{"web page"}},
		"redirects without end": {func(_ int, w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/a", http.StatusFound) }, modelOf(data, "/a"), []string{"redirects"}},
	} {
		t.Run(name, func(t *testing.T) {
			s.serve, s.asked = c.serve, nil
			_, err := fetched(t, s, c.model, nil)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range append(c.want, "w.pt") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of several lines: %q", err)
			}
		})
	}
}

// TestHubTellsTheHash: a file whose hash the table lacks is held against the one in the hub's redirect, whatever its storage sends.
func TestHubTellsTheHash(t *testing.T) {
	data := content(50_000)
	unknown := modelOf(data, "/a")
	unknown.Files[0].SHA256 = ""
	for what, c := range map[string]struct {
		told, size string
		want       string
	}{
		"the right hash":          {`"` + hashed(data) + `"`, "50000", ""},
		"another hash":            {`"` + hashed(nil) + `"`, "50000", hashed(nil)},
		"another size":            {`"` + hashed(data) + `"`, "50001", "50001"},
		"no hash but another tag": {`"abc"`, "50001", ""},
	} {
		s := &site{data: data, serve: nil}
		s.serve = func(_ int, w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/a" {
				w.Header().Set("X-Linked-Etag", c.told)
				w.Header().Set("X-Linked-Size", c.size)
				http.Redirect(w, r, "/storage", http.StatusFound)
				return
			}
			s.good(w, r)
		}
		if _, err := fetched(t, s, unknown, nil); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
}

// TestNoPageIsKept: without a hash to tell, a page that claims to be a file is still not kept, nor anything beside it.
func TestNoPageIsKept(t *testing.T) {
	m := modelOf(nil, "/a")
	m.Files[0].SHA256 = ""
	s := &site{data: []byte("\n<!DOCTYPE html><html>Quota exceeded")}
	s.serve = func(_ int, w http.ResponseWriter, r *http.Request) { s.good(w, r) }
	dir, err := fetched(t, s, m, nil)
	if err == nil || !strings.Contains(err.Error(), "web page") {
		t.Errorf("error %v", err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("left: %v", files)
	}
}

func TestFetchOffline(t *testing.T) {
	g := fetcher("http://127.0.0.1:1") // nothing listens there
	dir := t.TempDir()
	var log []string
	g.Log = func(text string) { log = append(log, text) }
	_, err := g.FetchTo(t.Context(), modelOf(nil, "/clip/w.pt"), dir)
	if len(log) != 2 || err == nil || !strings.Contains(err.Error(), "3 tries") {
		t.Errorf("said %q, then %v; want two new tries", log, err)
	}
	if err == nil || !strings.Contains(err.Error(), "http://127.0.0.1:1/clip/w.pt") || !strings.Contains(err.Error(), filepath.Join(dir, "w.pt")) {
		t.Errorf("error %v, want the address and the place", err)
	}
}

func TestProxyIsHonoured(t *testing.T) {
	proxy, ok := (&Fetcher{}).client().Transport.(*http.Transport)
	if !ok || proxy.Proxy == nil {
		t.Error("the client knows no proxy")
	}
}
