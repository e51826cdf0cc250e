package fetch

import (
	"errors"
	"html"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
)

// Google Drive answers a request for a large file with a page that warns of what was not scanned and holds a form to confirm.
var (
	formAction = regexp.MustCompile(`(?is)<form[^>]*\baction="([^"]+)"`)
	formInput  = regexp.MustCompile(`(?is)<input[^>]*\btype="hidden"[^>]*>`)
	inputName  = regexp.MustCompile(`(?is)\bname="([^"]*)"`)
	inputValue = regexp.MustCompile(`(?is)\bvalue="([^"]*)"`)
)

// page deals with a web page where a file was wanted: it confirms the form once, and otherwise says what happened.
func (d *download) page(r *http.Response) error {
	text, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return err
	}
	to, ok := confirmed(r.Request.URL, string(text))
	if !ok || d.paged {
		return finalf("%s: answered with a web page instead of the file (a quota, log-in or error page); open it in a browser", d.url)
	}
	d.paged, d.url = true, to
	os.Remove(d.part) // whatever was there came from another address
	return errors.New("the page asked for a confirmation, which is given")
}

// confirmed is the address that a page's form leads to, on the page's own site or another one of Google's.
func confirmed(page *url.URL, text string) (string, bool) {
	action := formAction.FindStringSubmatch(text)
	if action == nil {
		return "", false
	}
	to, err := page.Parse(html.UnescapeString(action[1]))
	if err != nil || to.Scheme != page.Scheme || to.Host != page.Host && to.Host != "drive.usercontent.google.com" {
		return "", false
	}
	q := to.Query()
	for _, input := range formInput.FindAllString(text, -1) {
		name, value := inputName.FindStringSubmatch(input), inputValue.FindStringSubmatch(input)
		if name != nil && value != nil {
			q.Set(html.UnescapeString(name[1]), html.UnescapeString(value[1]))
		}
	}
	to.RawQuery = q.Encode()
	return to.String(), true
}

// noPage refuses a web page that was sent as if it were the file.
func noPage(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.ErrUnexpectedEOF {
		return err
	}
	text := strings.ToLower(strings.TrimLeft(string(head[:n]), " \t\r\n\ufeff"))
	if strings.HasPrefix(text, "<!doctype html") || strings.HasPrefix(text, "<html") {
		return errors.New("a web page instead of the file (a quota, log-in or error page); open it in a browser")
	}
	return nil
}
