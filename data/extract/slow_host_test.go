package extract

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestSlowHost: a host that does not answer holds up the images of no other within the window, and the order stays.
func TestSlowHost(t *testing.T) {
	picture := drawn(t, 1, true)
	answer := make(chan struct{})
	begin := sync.OnceFunc(func() { close(answer) })
	defer time.AfterFunc(5*time.Second, begin).Stop()
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-answer
		w.Write(picture)
	}))
	defer slow.Close()
	served := make(chan struct{}, 3)
	quick := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write(picture)
		served <- struct{}{}
	}))
	defer quick.Close()
	var b strings.Builder
	for i := range 8 {
		host := slow.URL
		if i >= 5 {
			host = quick.URL
		}
		fmt.Fprintf(&b, "caption\t%s/%d\n", host, i)
	}
	path := filepath.Join(t.TempDir(), "cc.tsv")
	write(t, path, []byte(b.String()))
	o := Options{Source: open(t, path, SourceOptions{Fetch: Fetch{Connections: 2, PerHost: 1}}), Encoder: encoder(t), Out: t.TempDir()}
	done := make(chan error)
	go func() {
		_, err := Run(t.Context(), o)
		done <- err
	}()
	for range 3 {
		<-served
	}
	select {
	case <-answer:
		t.Error("the quick host's images came after the slow host's")
	default:
		begin()
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(o.Out, "00000.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if want := fmt.Sprintf(`"id":%d,`, i); !strings.Contains(line, want) || !strings.Contains(line, `"row":`) {
			t.Errorf("line %d: %s", i, line)
		}
	}
}
