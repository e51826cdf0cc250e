package extract

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fetch says how images are fetched from the web. The zero value is polite.
type Fetch struct {
	Connections int           // fetches at once, 0: 64
	PerHost     int           // fetches at once from one host, 0: 4
	Timeout     time.Duration // of one try, 0: 15 s
	MaxBytes    int64         // of one image, 0: 32 MB
	Retries     int           // after a failure that may pass, below 0: none; 0: 2
	Backoff     time.Duration // before the first retry; doubled before each further one. 0: 1 s
	Agent       string        // how we call ourselves
}

func (o *Fetch) defaults() {
	if o.Connections < 1 {
		o.Connections = 64
	}
	if o.PerHost < 1 {
		o.PerHost = 4
	}
	if o.Timeout <= 0 {
		o.Timeout = 15 * time.Second
	}
	if o.MaxBytes < 1 {
		o.MaxBytes = 32 << 20
	}
	if o.Retries == 0 {
		o.Retries = 2
	}
	if o.Backoff <= 0 {
		o.Backoff = time.Second
	}
	if o.Agent == "" {
		o.Agent = "clipcap-extract (+https://github.com/clipcap-go/clipcap)"
	}
}

const (
	maxRedirects = 5
	longestWait  = 30 * time.Second // that a server may ask for with Retry-After
)

// fetcher fetches images.
type fetcher struct {
	o      Fetch
	client *http.Client

	mu    sync.Mutex
	hosts map[string]*host
}

// host is one server's share of the connections.
type host struct {
	slots chan struct{}
	users int
}

func newFetcher(o Fetch) *fetcher {
	o.defaults()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = o.PerHost
	return &fetcher{o: o, hosts: map[string]*host{}, client: &http.Client{Timeout: o.Timeout, Transport: transport,
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return fail(HTTPError, "more than %d redirects", maxRedirects)
			}
			if !isAddress(r.URL.String()) {
				return fail(HTTPError, "redirected to %s, want http or https", r.URL.Scheme)
			}
			return nil
		}}}
}

func (f *fetcher) close() { f.client.CloseIdleConnections() }

// isAddress tells http and https addresses.
func isAddress(s string) bool {
	scheme, rest, ok := strings.Cut(s, "://")
	return ok && rest != "" && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

// item makes it the image at an address.
func (f *fetcher) item(it *Item, address string) {
	it.enter = func(ctx context.Context) (leave func(), err error) {
		name, err := hostOf(address)
		if err != nil {
			return nil, err
		}
		return f.enter(ctx, name)
	}
	it.load = func(ctx context.Context) ([]byte, error) {
		if _, err := hostOf(address); err != nil {
			return nil, err
		}
		wait := f.o.Backoff
		for try := 0; ; try++ {
			data, after, err := f.try(ctx, address)
			if err == nil || after < 0 || try >= f.o.Retries || ctx.Err() != nil {
				return data, err
			}
			select {
			case <-time.After(max(wait, after)):
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
			wait *= 2
		}
	}
}

// hostOf is the host of an address.
func hostOf(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "", fail(NoAddress, "not an address: %.200q", address)
	}
	return u.Host, nil
}

// enter waits for a connection to a host.
func (f *fetcher) enter(ctx context.Context, name string) (release func(), err error) {
	f.mu.Lock()
	h := f.hosts[name]
	if h == nil {
		h = &host{slots: make(chan struct{}, f.o.PerHost)}
		f.hosts[name] = h
	}
	h.users++
	f.mu.Unlock()
	leave := func() {
		f.mu.Lock()
		if h.users--; h.users == 0 {
			delete(f.hosts, name)
		}
		f.mu.Unlock()
	}
	select {
	case h.slots <- struct{}{}:
		return func() { <-h.slots; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, context.Cause(ctx)
	}
}

// try fetches once. After is how long to wait before another try at least, below 0 where none makes sense.
func (f *fetcher) try(ctx context.Context, address string) (data []byte, after time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, -1, fail(NoAddress, "not an address: %.200q", address)
	}
	r.Header.Set("User-Agent", f.o.Agent)
	r.Header.Set("Accept", "image/*")
	resp, err := f.client.Do(r)
	if err != nil {
		return nil, again(err), network(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		io.CopyN(io.Discard, resp.Body, 4096) // so that the connection can serve again
		after = -1
		if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode >= 500 {
			after = min(max(0, retryAfter(resp.Header.Get("Retry-After"))), longestWait)
		}
		return nil, after, fail(HTTPError, "status %d", resp.StatusCode)
	}
	for _, tag := range resp.Header.Values("X-Robots-Tag") {
		if tag = strings.ToLower(tag); strings.Contains(tag, "noai") || strings.Contains(tag, "noimageai") {
			return nil, -1, fail(Disallowed, "X-Robots-Tag: %.100s", tag)
		}
	}
	if resp.ContentLength > f.o.MaxBytes {
		return nil, -1, fail(TooLarge, "%d bytes, want at most %d", resp.ContentLength, f.o.MaxBytes)
	}
	data, err = io.ReadAll(io.LimitReader(resp.Body, f.o.MaxBytes+1))
	if err != nil {
		return nil, 0, network(err)
	}
	if int64(len(data)) > f.o.MaxBytes {
		return nil, -1, fail(TooLarge, "more than %d bytes", f.o.MaxBytes)
	}
	return data, 0, nil
}

// retryAfter is how long a server asks to wait, by seconds or a date; 0 where it does not say.
func retryAfter(text string) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(seconds, 3600)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return time.Until(at)
	}
	return 0
}

// again tells errors that another try may cure, as try does.
func again(err error) time.Duration {
	var known *Failure
	if errors.As(err, &known) {
		return -1
	}
	return 0
}

// network says what went wrong in words that do not change from run to run: addresses of sockets are left out.
func network(err error) error {
	var known *Failure
	if errors.As(err, &known) {
		return known
	}
	var timeout interface{ Timeout() bool }
	if errors.As(err, &timeout) && timeout.Timeout() {
		return fail(Network, "no answer in time")
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return fail(Network, "%s: %s", dns.Name, dns.Err) // not which server said so
	}
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return &Failure{Network, fmt.Errorf("%.200s", err)}
}
