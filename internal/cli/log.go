package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
)

// Logger writes what a library reports as a command writes its own notes: a line of the command's name, what it is, the text and,
// in brackets, the attributes.
func Logger(w io.Writer, name string) *slog.Logger {
	return slog.New(&logLines{w: w, name: name, mu: new(sync.Mutex)})
}

type logLines struct {
	w     io.Writer
	name  string
	attrs []slog.Attr
	mu    *sync.Mutex
}

// Enabled leaves out what only a developer wants to see.
func (l *logLines) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle writes one line.
func (l *logLines) Handle(_ context.Context, r slog.Record) error {
	attrs := l.attrs[:len(l.attrs):len(l.attrs)]
	r.Attrs(func(a slog.Attr) bool {
		attrs = append(attrs, a)
		return true
	})
	kind := "note"
	switch {
	case r.Level >= slog.LevelError:
		kind = "error"
	case r.Level >= slog.LevelWarn:
		kind = "warning"
	}
	text := fmt.Sprintf("%s: %s: %s", l.name, kind, r.Message)
	if len(attrs) > 0 {
		var parts []string
		for _, a := range attrs {
			parts = append(parts, a.String())
		}
		text += " (" + strings.Join(parts, ", ") + ")"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := fmt.Fprintln(l.w, text)
	return err
}

// WithAttrs adds attributes to every line.
func (l *logLines) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *l
	c.attrs = append(l.attrs[:len(l.attrs):len(l.attrs)], attrs...)
	return &c
}

// WithGroup is not for lines: a group's attributes stand with the others.
func (l *logLines) WithGroup(string) slog.Handler { return l }
