package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// echo prints its flags and arguments.
func echo() *Command {
	return &Command{
		Name: "clipcap-echo", Args: "WORD…", About: "clipcap-echo says what it was told.", Example: "clipcap-echo --batch-size 3 a b",
		Setup: func(f *flag.FlagSet) Work {
			n := f.Int("batch-size", 7, "images at a time")
			lr := f.Float64("lr", 0, "learning rate")
			name := f.String("name", "", "`NAME` of something")
			quick := f.Bool("quick", false, "do it quickly")
			mode := "high"
			OneOf(f, &mode, "mode", "how to do it", "high", "low")
			return func(_ context.Context, args []string, stdout, _ io.Writer) error {
				if *name == "bad" {
					return errors.Join(errors.New("one"), errors.New("two"))
				}
				if *name == "misused" {
					return Misusef("--name %s: want another", *name)
				}
				_, err := fmt.Fprintln(stdout, *n, *lr, *name, *quick, mode, args)
				return err
			}
		},
	}
}

func call(t *testing.T, c *Command, args ...string) (status int, out, log string) {
	t.Helper()
	var o, e bytes.Buffer
	status = c.Run(t.Context(), args, &o, &e)
	return status, o.String(), e.String()
}

func TestRun(t *testing.T) {
	config := filepath.Join(t.TempDir(), "run.json")
	write := func(text string) {
		if err := os.WriteFile(config, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"batch-size": 40, "lr": 2e-5, "quick": true, "mode": "low", "name": null}`)
	for _, c := range []struct {
		args   string
		status int
		want   string
	}{
		{"", 0, "7 0  false high []"},
		{"a --batch-size 3 b -name=x", 0, "3 0 x false high [a b]"},
		{"a -- --batch-size 3", 0, "7 0  false high [a --batch-size 3]"},
		{"--config " + config, 0, "40 2e-05  true low []"},
		{"--config " + config + " --batch-size 1 x --mode high", 0, "1 2e-05  true high [x]"},
		{"--batchsize 3", 2, "batchsize"},
		{"--batch-size three", 2, "batch-size"},
		{"--mode middle", 2, "want high, low"},
		{"--name misused", 2, "want another"},
		{"--name bad", 1, "one; two"},
		{"--config nowhere.json", 1, "nowhere.json"},
		{"--version", 0, "clipcap-echo "},
		{"--help", 0, "--batch-size N"},
		{"--completion bash", 0, "--batch-size"},
		{"--completion dos", 2, "want bash"},
	} {
		status, out, log := call(t, echo(), strings.Fields(c.args)...)
		if status != c.status || !strings.Contains(out+log, c.want) || strings.Count(log, "\n") > 1 {
			t.Errorf("%q: exit %d, %q %q, want %d and %q", c.args, status, out, log, c.status, c.want)
		}
	}
	for text, want := range map[string]string{
		`{"batchsize": 3}`:       "not a flag",
		`{"config": "x"}`:        "not a flag",
		`{"batch-size": true}`:   "takes a value",
		`{"batch-size": "x"}`:    "batch-size",
		`{"mode": {"a": 1}}`:     "want a text",
		`{"name": [["a"]]}`:      "list inside",
		`[1]`:                    "JSON object",
		`{"name": "a"} trailing`: "after the JSON",
		`{`:                      "JSON object",
	} {
		write(text)
		if status, _, log := call(t, echo(), "--config", config); status != 2 || !strings.Contains(log, want) || !strings.Contains(log, config) {
			t.Errorf("%s: exit %d, %q, want %q", text, status, log, want)
		}
	}
}

func TestHelpEndsWithExample(t *testing.T) {
	_, out, _ := call(t, echo(), "-h")
	if !strings.HasSuffix(out, "Example:\n  clipcap-echo --batch-size 3 a b\n") || !strings.Contains(out, "(default 7)") || strings.Contains(out, "(default 0)") {
		t.Errorf("help: %s", out)
	}
}

func TestVerbs(t *testing.T) {
	verb := echo()
	verb.Name = "say"
	bare := &Command{Name: "stop", About: "stop it", Example: "x stop", Setup: func(*flag.FlagSet) Work {
		return func(ctx context.Context, _ []string, _, _ io.Writer) error { return context.Cause(ctx) }
	}}
	c := &Command{Name: "x", About: "x does things.", Example: "x say hello", Verbs: []*Command{verb, bare}}
	for _, v := range []struct {
		args   string
		status int
		want   string
	}{
		{"", 2, "say, stop"},
		{"sing", 2, "sing"},
		{"say hello", 0, "[hello]"},
		{"stop now", 2, "now"},
		{"--help", 0, "x say WORD…"},
		{"say --help", 0, "x say [flags] WORD…"},
		{"--version", 0, "x "},
		{"--completion fish", 0, "-a say"},
		{"--completion zsh", 0, "say stop --batch-size"},
		{"say --completion bash", 2, "ask x"},
	} {
		status, out, log := call(t, c, strings.Fields(v.args)...)
		if status != v.status || !strings.Contains(out+log, v.want) {
			t.Errorf("%q: exit %d, %q %q, want %d and %q", v.args, status, out, log, v.status, v.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var log bytes.Buffer
	if status := c.Run(ctx, []string{"stop"}, io.Discard, &log); status != 1 || !strings.Contains(log.String(), "interrupted") {
		t.Errorf("cancelled: exit %d, %q", status, log.String())
	}
	other := errors.New("another")
	if err := Interrupted(other, "; x"); err != other {
		t.Errorf("%v became %v", other, err)
	}
	kept := echo()
	kept.Setup = func(*flag.FlagSet) Work {
		return func(ctx context.Context, _ []string, _, _ io.Writer) error {
			return fmt.Errorf("deep: %w", Interrupted(ctx.Err(), " after %d of %d", 3, 4))
		}
	}
	log.Reset()
	if status := kept.Run(ctx, nil, io.Discard, &log); status != 1 || log.String() != "clipcap-echo: interrupted after 3 of 4\n" {
		t.Errorf("cancelled: exit %d, %q", status, log.String())
	}
}

func TestNoTerminal(t *testing.T) {
	f, err := os.Open(os.DevNull) // a device, and yet nobody watches it
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if Terminal(f) || Terminal(new(bytes.Buffer)) {
		t.Error("taken for a terminal")
	}
	var log bytes.Buffer
	p := NewProgress(&log, "reading", 3, false)
	p.Line("%d is odd", 3)
	if p.Done(); log.String() != "3 is odd\n" {
		t.Errorf("a line of its own: %q", log.String())
	}
}

func TestProgressAwayFromATerminal(t *testing.T) {
	var log bytes.Buffer
	p := NewProgress(&log, "reading", 200, false)
	p.Add(50)
	if log.Len() > 0 {
		t.Errorf("spoke at once: %q", log.String())
	}
	p.spoke = time.Now().Add(-time.Minute)
	p.Write(make([]byte, 51))
	p.Add(1)
	p.Done()
	if s := log.String(); strings.Count(s, "\n") != 1 || !strings.Contains(s, "reading: 101 of 200 (50 %)") {
		t.Errorf("log %q", s)
	}
	if got := (&Progress{what: "x", total: -1, bytes: true, done: 2e6, started: time.Now()}).line(); !strings.HasPrefix(got, "x: 2.0 MB") {
		t.Error(got)
	}
}

func TestNeedFiles(t *testing.T) {
	if err := NeedFiles("a", "", "b", t.TempDir()); err != nil {
		t.Error(err)
	}
	if err := NeedFiles("a", filepath.Join(t.TempDir(), "none")); err == nil || !strings.Contains(err.Error(), "--a") {
		t.Error(err)
	}
}
