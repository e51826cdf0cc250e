package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// FuzzConfig holds that any file of flags either sets all that it names, to what it says, or is an error.
func FuzzConfig(f *testing.F) {
	for _, text := range []string{`{"batch-size": 40, "lr": 2e-5, "quick": true, "mode": "low", "name": null}`, `{"name": ["a", 1, true]}`, `{"quick": "0"}`,
		`{"batch-size": 1e1}`, `{"config": 1}`, `{"mode": {}}`, `null`, `{`, ``, `{} {}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		flags := flag.NewFlagSet("clipcap-echo", flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		n := flags.Int("batch-size", 7, "")
		flags.Float64("lr", 0, "")
		name := flags.String("name", "", "")
		flags.Bool("quick", false, "")
		mode := "high"
		OneOf(flags, &mode, "mode", "", "high", "low")
		if fillFrom(flags, text) != nil {
			return
		}
		var values map[string]any
		if err := json.Unmarshal(text, &values); err != nil {
			t.Fatalf("%q is taken, and is %v", text, err)
		}
		for key, v := range values {
			if flags.Lookup(key) == nil {
				t.Errorf("%q: unknown %q is taken", text, key)
			}
			switch v := v.(type) {
			case string:
				if key == "name" && *name != v {
					t.Errorf("%q: name is %q", text, *name)
				}
			case float64:
				if key == "batch-size" && strconv.Itoa(*n) != strconv.FormatFloat(v, 'f', 0, 64) && v < 1<<53 && v > -1<<53 {
					t.Errorf("%q: batch-size is %d", text, *n)
				}
			case map[string]any:
				t.Errorf("%q: an object is taken for %q", text, key)
			}
		}
		if mode != "high" && mode != "low" {
			t.Errorf("%q: mode is %q", text, mode)
		}
	})
}

// TestGiven holds that what a file of flags sets counts as given, but not as typed.
func TestGiven(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	if err := os.WriteFile(path, []byte(`{"lr": 1, "name": null, "n": 3}`), 0o666); err != nil {
		t.Fatal(err)
	}
	var given, typed map[string]bool
	c := &Command{Name: "clipcap-echo", Setup: func(f *flag.FlagSet) Work {
		f.Float64("lr", 0, "")
		f.String("name", "", "")
		f.Int("n", 0, "")
		f.Bool("quick", false, "")
		return func(context.Context, []string, io.Writer, io.Writer) error {
			given, typed = Given(f), Typed(f)
			return nil
		}
	}}
	if status := c.Run(t.Context(), []string{"--n", "2", "--config", path}, io.Discard, io.Discard); status != 0 {
		t.Fatalf("status %d", status)
	}
	if want := map[string]bool{"config": true, "lr": true, "n": true}; !maps.Equal(given, want) {
		t.Errorf("given %v, want %v", given, want)
	}
	if want := map[string]bool{"config": true, "n": true}; !maps.Equal(typed, want) {
		t.Errorf("typed %v, want %v", typed, want)
	}
}

// TestIdle holds that a flag without an effect is refused, but for one of a file whose choice is overridden.
func TestIdle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	if err := os.WriteFile(path, []byte(`{"decode": "sample", "top-p": 0.9}`), 0o666); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) string {
		c := &Command{Name: "clipcap-echo", Setup: func(f *flag.FlagSet) Work {
			decode := f.String("decode", "beam", "")
			f.Float64("top-p", 1, "")
			return func(context.Context, []string, io.Writer, io.Writer) error {
				if *decode == "sample" {
					return nil
				}
				return Idle(f, "decode", "top-p")
			}
		}}
		var log bytes.Buffer
		c.Run(t.Context(), args, io.Discard, &log)
		return log.String()
	}
	for _, args := range [][]string{{}, {"--config", path}, {"--config", path, "--decode", "beam"}, {"--decode", "sample", "--top-p", "0.5"}} {
		if log := run(args...); log != "" {
			t.Errorf("%q: %s", args, log)
		}
	}
	for _, args := range [][]string{{"--top-p", "0.5"}, {"--config", path, "--decode", "beam", "--top-p", "0.5"}} {
		if log := run(args...); !strings.Contains(log, "--top-p has no effect with --decode beam") {
			t.Errorf("%q: %q", args, log)
		}
	}
}
