package cli

import (
	"strings"
	"testing"
)

// What a library logs reads like the command's own lines, not like a server's log.
func TestLoggerWritesLinesOfTheCommand(t *testing.T) {
	var b strings.Builder
	log := Logger(&b, "clipcap-train")
	log.Debug("nothing for a user")
	log.Info("begun")
	log.With("out", "run").Warn("left out", "captions", 3)
	log.Error("disk full")
	want := "clipcap-train: note: begun\nclipcap-train: warning: left out (out=run, captions=3)\nclipcap-train: error: disk full\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}
