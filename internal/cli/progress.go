package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Progress shows how far a piece of work is: a bar on a terminal, elsewhere a line now and then. It is safe for concurrent use.
type Progress struct {
	mu          sync.Mutex
	w           io.Writer
	what        string
	bytes       bool
	total, done int64
	bar         *progressbar.ProgressBar // nil: lines
	drawn       bool                     // the bar was brought up to date a moment ago
	behind      bool                     // and is behind again
	started     time.Time
	spoke       time.Time
}

// interval is how often a line is written where there is no terminal.
const interval = 15 * time.Second

// moment is how long a bar stands at least; what comes meanwhile is shown after it.
const moment = 100 * time.Millisecond

// NewProgress starts to show a piece of work of total units, bytes or things; total below 0 is unknown.
func NewProgress(w io.Writer, what string, total int64, bytes bool) *Progress {
	p := &Progress{w: w, what: what, bytes: bytes, total: total, started: time.Now(), spoke: time.Now()}
	if Terminal(w) {
		p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
			progressbar.OptionShowBytes(bytes), progressbar.OptionShowTotalBytes(true), progressbar.OptionSetItsString(what), progressbar.OptionUseIECUnits(true), progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(true), progressbar.OptionShowIts(), progressbar.OptionFullWidth(),
			progressbar.OptionSetRenderBlankState(true))
	}
	return p
}

// Add says that n more units are done.
func (p *Progress) Add(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
	switch now := time.Now(); {
	case p.bar != nil:
		p.behind = true
		p.draw()
	case now.Sub(p.spoke) >= interval:
		p.spoke = now
		fmt.Fprintln(p.w, p.line())
	}
}

// draw brings the bar up to date, now or after a moment: work comes in bursts, and the last of one counts.
func (p *Progress) draw() {
	if p.drawn || !p.behind {
		return
	}
	p.drawn, p.behind = true, false
	p.bar.Set64(p.done)
	time.AfterFunc(moment, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.drawn = false; p.bar != nil {
			p.draw()
		}
	})
}

// Tell changes what is said about the work.
func (p *Progress) Tell(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.what = what
	if p.bar != nil {
		p.bar.Describe(what)
	}
}

// Write counts the bytes of p as done, so that a Progress can stand behind an io.MultiWriter or io.TeeReader.
func (p *Progress) Write(b []byte) (int, error) {
	p.Add(int64(len(b)))
	return len(b), nil
}

// line is what is shown where there is no terminal.
func (p *Progress) line() string {
	amount := func(n int64) string {
		if p.bytes {
			return fmt.Sprintf("%.1f MB", float64(n)/1e6)
		}
		return fmt.Sprint(n)
	}
	rate := float64(p.done) / max(1e-3, time.Since(p.started).Seconds())
	if p.total < 0 {
		return fmt.Sprintf("%s: %s, %s/s", p.what, amount(p.done), amount(int64(rate)))
	}
	return fmt.Sprintf("%s: %s of %s (%.0f %%), %s/s", p.what, amount(p.done), amount(p.total),
		100*float64(p.done)/float64(max(1, p.total)), amount(int64(rate)))
}

// Line prints a line about the work, which a bar makes room for.
func (p *Progress) Line(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		p.bar.Clear()
	}
	fmt.Fprintf(p.w, format+"\n", args...)
	if p.bar != nil {
		p.bar.RenderBlank()
	}
}

// Terminal tells whether w is a terminal that someone can watch. Results that are printed to one show by themselves how far the work is,
// and a bar between them would be torn.
func Terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// Done ends the display. The line that a terminal showed stays.
func (p *Progress) Done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		p.bar.Set64(p.done)
		p.bar.Exit()
		p.bar = nil
		fmt.Fprintln(p.w)
	}
}
