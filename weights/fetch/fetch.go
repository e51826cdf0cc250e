package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Fetcher downloads models. The zero value works.
type Fetcher struct {
	// Client makes the requests; nil: one that honours the proxy variables and gives up on hosts that do not answer.
	Client *http.Client
	// Base maps hosts to other base URLs; "" stands for every host. Hugging Face's HF_ENDPOINT counts where neither is there.
	Base map[Host]string
	// Log hears of retries and mirrors; may be nil.
	Log func(text string)
	// Progress shows one download of total bytes, below 0 for unknown, that begins with done of them; may be nil.
	Progress func(file string, done, total int64) Meter
	// Pause is the first wait before a new try, doubled each time; 0: a second.
	Pause time.Duration
	// Stall is how long nothing may arrive; 0: a minute.
	Stall time.Duration
}

// Meter is shown the bytes that arrive.
type Meter interface {
	// Add is called with the number of bytes since its last call.
	Add(n int64)
	// Done is called at the end, whether all came or not.
	Done()
}

// Fetch downloads what is missing of a model into its folder and returns the path of its weights. Half a download is kept and goes on
// where it stopped. A file that has not the published size or SHA-256 is an error and is not kept, and so is a host that cannot be reached.
func (f *Fetcher) Fetch(ctx context.Context, m Model) (string, error) {
	if path, err := m.Locate(); err == nil {
		return path, nil
	}
	dir, err := m.Folder()
	if err != nil {
		return "", err
	}
	return f.FetchTo(ctx, m, dir)
}

// FetchTo is Fetch into a folder of the caller's choice.
func (f *Fetcher) FetchTo(ctx context.Context, m Model, dir string) (string, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for _, file := range m.Files {
		if err := f.file(ctx, file, dir); err != nil {
			return "", fmt.Errorf("fetch %s: %w", m.Name, err)
		}
	}
	return filepath.Join(dir, m.Files[0].Name), nil
}

// file brings one file into a folder, from the first source that has it.
func (f *Fetcher) file(ctx context.Context, file File, dir string) error {
	path := filepath.Join(dir, file.Name)
	if _, err := os.Stat(path); err == nil {
		return check(path, file)
	}
	var errs []error
	for i, s := range file.Sources {
		d := &download{Fetcher: f, file: file, url: f.url(s), part: path + ".part"}
		err := d.run(ctx)
		if err == nil {
			err = d.finish(path)
		}
		if err == nil || ctx.Err() != nil {
			return err
		}
		errs = append(errs, err)
		if i+1 < len(file.Sources) {
			f.log(err.Error() + "; trying another place")
		}
	}
	first := "nowhere"
	if len(file.Sources) > 0 {
		first = f.url(file.Sources[0])
	}
	return fmt.Errorf("%w; without a network from here: download %s elsewhere and put it at %s", oneLine(errs), first, path)
}

// oneLine joins the errors of all sources.
func oneLine(errs []error) error {
	if len(errs) == 1 {
		return errs[0]
	}
	var parts []string
	for _, e := range errs {
		parts = append(parts, e.Error())
	}
	return errors.New(strings.Join(parts, "; "))
}

// finish checks a complete download and gives it its name.
func (d *download) finish(path string) error {
	defer os.Remove(d.part + ".etag")
	err := check(d.part, d.file)
	if err == nil && d.file.SHA256 == "" {
		err = noPage(d.part)
	}
	if err != nil {
		os.Remove(d.part)
		return fmt.Errorf("%s: %w", d.url, err)
	}
	if err := syncFile(d.part); err != nil {
		return err
	}
	return os.Rename(d.part, path)
}

// check compares a file with what is known of it.
func check(path string, file File) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if file.Size > 0 && info.Size() != file.Size {
		return fmt.Errorf("%s has %d bytes, the published file %d", path, info.Size(), file.Size)
	}
	if file.SHA256 == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != file.SHA256 {
		return fmt.Errorf("%s: its SHA-256 is %s, the published file's %s", path, got, file.SHA256)
	}
	return nil
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// url is a source's address, at another base where one is given.
func (f *Fetcher) url(s Source) string {
	base := string(s.Host)
	if s.Host == HuggingFace {
		if e := os.Getenv("HF_ENDPOINT"); e != "" {
			base = e
		}
	}
	for _, host := range []Host{"", s.Host} {
		if b := f.Base[host]; b != "" {
			base = b
		}
	}
	return strings.TrimSuffix(base, "/") + s.Path
}

func (f *Fetcher) log(text string) {
	if f.Log != nil {
		f.Log(text)
	}
}

// client is the one to use.
func (f *Fetcher) client() *http.Client {
	if f.Client != nil {
		return f.Client
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 30 * time.Second}).DialContext,
			TLSHandshakeTimeout:   30 * time.Second,
			ResponseHeaderTimeout: time.Minute,
			DisableCompression:    true, // lengths and ranges are those of the file itself
			ForceAttemptHTTP2:     true,
		},
		CheckRedirect: func(to *http.Request, via []*http.Request) error {
			if len(via) >= 10 {
				return errors.New("more than 10 redirects")
			}
			if to.URL.Scheme != "https" && via[len(via)-1].URL.Scheme == "https" {
				return fmt.Errorf("redirected from https to %s", to.URL.Scheme)
			}
			return nil
		},
	}
}
