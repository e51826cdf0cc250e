package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// download is one file on its way from one source.
type download struct {
	*Fetcher
	file   File
	url    string
	part   string // where it grows
	paged  bool   // a page was answered once already
	client *http.Client
}

const (
	tries = 6 // in a row without a byte
	// noHost is how many of them a host costs that cannot be reached at all: without a network the user is to hear so soon.
	noHost = 2
	// maxBytes bounds a file whose size the table does not have.
	maxBytes = 64 << 30
)

// final is an error that trying again does not help.
type final struct{ error }

func (f final) Unwrap() error { return f.error }

func finalf(format string, args ...any) error { return final{fmt.Errorf(format, args...)} }

// run downloads until the file is complete or the source is of no use.
func (d *download) run(ctx context.Context) error {
	d.client = d.Fetcher.client()
	pause := d.Pause
	if pause == 0 {
		pause = time.Second
	}
	wait := pause
	failed, asked := 0, 0
	for {
		before := d.have()
		err := d.try(ctx)
		asked++
		if err == nil || errors.As(err, new(final)) || ctx.Err() != nil {
			return err
		}
		if d.have() > before {
			failed, wait = 0, pause
		} else if unreachable(err) {
			failed += noHost
		} else {
			failed++
		}
		if failed >= tries {
			return fmt.Errorf("%d tries: %w", asked, err)
		}
		d.log(fmt.Sprintf("%v; trying again in %v", err, wait))
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
		wait = min(2*wait, 30*time.Second)
	}
}

// unreachable tells that no connection came about.
func unreachable(err error) bool {
	op := new(net.OpError)
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect")
}

// have is how much of the file is there.
func (d *download) have() int64 {
	info, err := os.Stat(d.part)
	if err != nil {
		return 0
	}
	return info.Size()
}

// try makes one request for what is missing.
func (d *download) try(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	start := d.have()
	if d.file.Size > 0 && start == d.file.Size {
		return nil
	}
	q, err := d.request(ctx, start)
	if err != nil {
		return final{err}
	}
	r, err := d.client.Do(q)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	d.linked(r)
	switch {
	case r.StatusCode == http.StatusRequestedRangeNotSatisfiable && start > 0:
		if total, ok := rangeTotal(r.Header.Get("Content-Range")); ok && total == start && (d.file.Size == 0 || d.file.Size == total) {
			return nil // all of it was there
		}
		os.Remove(d.part)
		return fmt.Errorf("%s: what is there already is no part of the file", d.url)
	case r.StatusCode == http.StatusTooManyRequests || r.StatusCode >= 500:
		return fmt.Errorf("%s: %s", d.url, r.Status)
	case r.StatusCode != http.StatusOK && r.StatusCode != http.StatusPartialContent:
		return finalf("%s: %s", d.url, r.Status)
	}
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind == "text/html" {
		return d.page(r)
	}
	if r.StatusCode == http.StatusOK {
		start = 0
	} else if from, ok := rangeStart(r.Header.Get("Content-Range")); !ok || from != start {
		os.Remove(d.part)
		return fmt.Errorf("%s: asked for bytes from %d on, got %q", d.url, start, r.Header.Get("Content-Range"))
	}
	return d.receive(r, start, cancel)
}

// hubSum is a SHA-256 as Hugging Face's hub tells it.
var hubSum = regexp.MustCompile(`^"[0-9a-f]{64}"$`)

// linked takes the hash and the size that Hugging Face's hub tells of a large file where the table has none: they stand in the answer that
// redirects to the storage. A published hash is never replaced.
func (d *download) linked(r *http.Response) {
	for ; r != nil; r = r.Request.Response {
		sum := r.Header.Get("X-Linked-Etag")
		if !hubSum.MatchString(sum) || d.file.SHA256 != "" {
			continue
		}
		d.file.SHA256 = sum[1 : len(sum)-1]
		if n, err := strconv.ParseInt(r.Header.Get("X-Linked-Size"), 10, 64); err == nil && n > 0 && n <= maxBytes && d.file.Size == 0 {
			d.file.Size = n
		}
	}
}

// request asks for the bytes from start on, if the file is still the same.
func (d *download) request(ctx context.Context, start int64) (*http.Request, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return nil, err
	}
	q.Header.Set("User-Agent", "clipcap-weights")
	if start == 0 {
		return q, nil
	}
	tag, err := os.ReadFile(d.part + ".etag")
	switch {
	case err == nil && len(tag) > 0:
		q.Header.Set("If-Range", string(tag))
	case d.file.SHA256 == "":
		return q, nil // nothing would tell a mixture of two files: from the beginning
	}
	q.Header.Set("Range", fmt.Sprintf("bytes=%d-", start))
	return q, nil
}

// receive appends the body to the part.
func (d *download) receive(r *http.Response, start int64, cancel context.CancelCauseFunc) error {
	total := int64(-1)
	if r.ContentLength >= 0 {
		total = start + r.ContentLength
	}
	if want := d.file.Size; want > 0 && total >= 0 && total != want {
		return finalf("%s: %d bytes, the published file has %d", d.url, total, want)
	}
	flags := os.O_CREATE | os.O_WRONLY
	if start == 0 {
		flags |= os.O_TRUNC
	}
	f, err := os.OpenFile(d.part, flags, 0o644)
	if err != nil {
		return final{err}
	}
	defer f.Close()
	if _, err := f.Seek(start, io.SeekStart); err != nil {
		return final{err}
	}
	if tag := r.Header.Get("ETag"); strings.HasPrefix(tag, `"`) { // a weak tag cannot resume
		os.WriteFile(d.part+".etag", []byte(tag), 0o644)
	} else {
		os.Remove(d.part + ".etag")
	}
	return d.copy(f, r.Body, start, total, cancel)
}

// copy moves the body into the file and watches that it keeps coming.
func (d *download) copy(f *os.File, body io.Reader, start, total int64, cancel context.CancelCauseFunc) error {
	meter := Meter(quiet{})
	if d.Progress != nil {
		meter = d.Progress(d.file.Name, start, total)
	}
	defer meter.Done()
	stall := d.Stall
	if stall == 0 {
		stall = time.Minute
	}
	errStalled := fmt.Errorf("%s: nothing arrived for %v", d.url, stall)
	watch := time.AfterFunc(stall, func() { cancel(errStalled) })
	defer watch.Stop()
	most := int64(maxBytes)
	if d.file.Size > 0 {
		most = d.file.Size
	}
	buf := make([]byte, 1<<18)
	for at := start; ; {
		n, err := body.Read(buf)
		watch.Reset(stall)
		if at += int64(n); at > most {
			os.Remove(d.part)
			return finalf("%s: more than the %d bytes of the file", d.url, most)
		}
		if _, werr := f.Write(buf[:n]); werr != nil {
			return final{werr}
		}
		meter.Add(int64(n))
		switch {
		case err == io.EOF && total >= 0 && at < total, err == io.EOF && d.file.Size > 0 && at < d.file.Size:
			return fmt.Errorf("%s: the connection ended after %d bytes", d.url, at)
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("%s: after %d bytes: %w", d.url, at, err)
		}
	}
}

// quiet shows nothing.
type quiet struct{}

func (quiet) Add(int64) {}
func (quiet) Done()     {}

// rangeStart reads "bytes 5-9/10".
func rangeStart(header string) (int64, bool) {
	rest, ok := strings.CutPrefix(header, "bytes ")
	from, _, _ := strings.Cut(rest, "-")
	n, err := strconv.ParseInt(from, 10, 64)
	return n, ok && err == nil
}

// rangeTotal reads the size from "bytes */10".
func rangeTotal(header string) (int64, bool) {
	_, total, ok := strings.Cut(header, "/")
	n, err := strconv.ParseInt(total, 10, 64)
	return n, ok && err == nil
}
