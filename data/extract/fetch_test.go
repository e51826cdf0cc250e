package extract

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestFetch: what servers do to those who fetch from them.
func TestFetch(t *testing.T) {
	picture := drawn(t, 1, true)
	var busy, flaky, most, at atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("/ok", func(w http.ResponseWriter, r *http.Request) {
		most.Store(max(most.Load(), at.Add(1)))
		time.Sleep(5 * time.Millisecond)
		at.Add(-1)
		if !strings.HasPrefix(r.UserAgent(), "clipcap-extract") {
			t.Errorf("user agent %q", r.UserAgent())
		}
		w.Write(picture)
	})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/once", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok", http.StatusFound) })
	mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "file:///etc/hosts", http.StatusFound)
	})
	mux.HandleFunc("/busy", func(w http.ResponseWriter, r *http.Request) {
		busy.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	mux.HandleFunc("/flaky", func(w http.ResponseWriter, r *http.Request) {
		if flaky.Add(1) < 3 {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		w.Write(picture)
	})
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.HandleFunc("/noai", func(w http.ResponseWriter, r *http.Request) { w.Header().Set("X-Robots-Tag", "noindex, noAI") })
	mux.HandleFunc("/large", func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 20_000)) })
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 4096)); err != nil {
				return
			}
		}
	})
	mux.HandleFunc("/page", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("<!DOCTYPE html><html>gone</html>")) })
	mux.HandleFunc("/half", func(w http.ResponseWriter, r *http.Request) { w.Write(picture[:len(picture)/2]) })
	mux.HandleFunc("/cut", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "9999")
		w.Write(picture)
	})
	server := httptest.NewServer(mux)
	defer server.Close()

	paths := []string{"ok", "gone", "loop", "once", "file", "busy", "flaky", "slow", "noai", "large", "endless", "page", "half", "cut", "ok", "ok", "ok", "ok"}
	status := []string{"", HTTPError, HTTPError, "", HTTPError, HTTPError, "", Network, Disallowed, TooLarge, TooLarge, NotImage, Damaged, Network, "", "", "", ""}
	var b strings.Builder
	for i, p := range paths {
		fmt.Fprintf(&b, "caption %d\t%s/%s\n", i, server.URL, p)
	}
	path := filepath.Join(t.TempDir(), "cc.tsv")
	write(t, path, []byte(b.String()))
	s := open(t, path, SourceOptions{Fetch: Fetch{PerHost: 2, Timeout: 300 * time.Millisecond, MaxBytes: 10_000, Backoff: time.Millisecond}})
	items, err := s.Items(0, s.Len())
	if err != nil {
		t.Fatal(err)
	}
	o := &Options{Source: s, Encoder: encoder(t), Out: t.TempDir()}
	sum, err := Run(context.Background(), *o)
	if err != nil {
		t.Fatal(err)
	}
	if sum.Features != 7 {
		t.Errorf("%d features, want 7", sum.Features)
	}
	for i, it := range items {
		_, _, err := o.square(context.Background(), &it, func() {}, NewDecoder(o.Encoder.ImageSize(), o.Image, 1))
		got := ""
		if f, ok := err.(*Failure); ok {
			got = f.Status
		}
		if got != status[i] {
			t.Errorf("%s: %q (%v), want %q", paths[i], got, err, status[i])
		}
	}
	if busy.Load() != 6 {
		t.Errorf("a busy server was asked %d times in two runs, want 3 in each", busy.Load())
	}
	if most.Load() > 2 {
		t.Errorf("%d connections to one host, want at most 2", most.Load())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := items[7].load(ctx); err == nil {
		t.Error("a cancelled fetch gave an image")
	}
}

// TestRetryAfter reads both forms of the header.
func TestRetryAfter(t *testing.T) {
	date := time.Now().Add(20 * time.Second).UTC().Format(http.TimeFormat)
	for text, want := range map[string]time.Duration{"": 0, "7": 7 * time.Second, "99999999999": time.Hour, "soon": 0, date: 20 * time.Second} {
		if got := retryAfter(text); got > want || got < want-5*time.Second {
			t.Errorf("Retry-After %q is %v, want %v", text, got, want)
		}
	}
}
