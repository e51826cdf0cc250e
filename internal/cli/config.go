package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/clipcap-go/clipcap/internal/files"
)

// maxConfig bounds a file of flags.
const maxConfig = 1 << 20

// fill sets the flags that were not given from a JSON object {"flag-name": value}; a list sets a flag once for each of its
// values. Names a command does not have are errors.
func fill(f *flag.FlagSet, path string) error {
	text, err := files.ReadAll(path, maxConfig)
	if err != nil {
		return err
	}
	if err := fillFrom(f, text); err != nil {
		return Misusef("%s: %w", path, err)
	}
	return nil
}

// fillFrom is fill for the file's text.
func fillFrom(f *flag.FlagSet, text []byte) error {
	values, err := parseConfig(text)
	if err != nil {
		return err
	}
	given := map[string]bool{"config": true}
	f.Visit(func(g *flag.Flag) { given[g.Name] = true })
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		g := f.Lookup(name)
		if g == nil || name == "config" || name == "version" || name == "completion" {
			return fmt.Errorf("%q is not a flag of %s", name, f.Name())
		}
		if given[name] {
			continue
		}
		if err := set(f, g, values[name]); err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		if c := configOf(f); c != nil {
			c.filled = append(c.filled, name)
		}
	}
	return nil
}

// parseConfig reads the JSON object of a file of flags. Numbers stay the text they are, so that a flag reads all of their digits.
func parseConfig(text []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var values map[string]any
	err := d.Decode(&values)
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &kind), err == nil && values == nil:
		return nil, errors.New("want a JSON object of flags, {\"flag-name\": value}")
	case err != nil:
		return nil, fmt.Errorf("want a JSON object of flags, {\"flag-name\": value}: %w", files.JSONError(err, text))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the JSON object")
	}
	return values, nil
}

// set gives a flag a JSON value.
func set(f *flag.FlagSet, g *flag.Flag, value any) error {
	switch v := value.(type) {
	case nil:
		return nil
	case string:
		return put(f, g, v)
	case json.Number:
		return put(f, g, v.String())
	case bool:
		if b, ok := g.Value.(interface{ IsBoolFlag() bool }); !ok || !b.IsBoolFlag() {
			return fmt.Errorf("%t for a flag that takes a value", v)
		}
		return put(f, g, fmt.Sprint(v))
	case []any:
		for _, one := range v {
			if _, nested := one.([]any); nested {
				return errors.New("a list inside a list")
			}
			if err := set(f, g, one); err != nil {
				return err
			}
		}
		return nil
	}
	return errors.New("want a text, a number, true, false or a list of these")
}

// put gives a flag a value as text.
func put(f *flag.FlagSet, g *flag.Flag, text string) error {
	if err := f.Set(g.Name, text); err != nil {
		return fmt.Errorf("%q: %s", text, wants(g, err.Error()))
	}
	return nil
}

// configFile is the value of --config: the file, and which flags it has filled.
type configFile struct {
	path   string
	filled []string
}

// String is the file's path.
func (c *configFile) String() string { return c.path }

// Set takes the file's path.
func (c *configFile) Set(path string) error {
	c.path = path
	return nil
}

// configOf is the value of --config, or nil where the flags have none.
func configOf(f *flag.FlagSet) *configFile {
	if g := f.Lookup("config"); g != nil {
		c, _ := g.Value.(*configFile)
		return c
	}
	return nil
}

// Given tells which flags were set, on the command line or by --config.
func Given(f *flag.FlagSet) map[string]bool {
	given := map[string]bool{}
	f.Visit(func(g *flag.Flag) { given[g.Name] = true })
	return given
}

// Typed tells which flags were set on the command line itself.
func Typed(f *flag.FlagSet) map[string]bool {
	given := Given(f)
	if c := configOf(f); c != nil {
		for _, name := range c.filled {
			delete(given, name)
		}
	}
	return given
}

// Choice is a flag's value from a short list.
type Choice struct {
	To   *string
	From []string
}

// String is the value.
func (c *Choice) String() string {
	if c.To == nil {
		return ""
	}
	return *c.To
}

// Set takes a value of the list.
func (c *Choice) Set(v string) error {
	if !slices.Contains(c.From, v) {
		return fmt.Errorf("want %s", strings.Join(c.From, ", "))
	}
	*c.To = v
	return nil
}

// OneOf declares a flag that takes one of a few values; *to holds the default.
func OneOf(f *flag.FlagSet, to *string, name, usage string, from ...string) {
	f.Var(&Choice{to, from}, name, usage+": "+strings.Join(from, ", "))
}

// Device declares the flags --device and --gemm, for nn.ParseGemm to read.
func Device(f *flag.FlagSet, device, gemm *string) {
	*device, *gemm = "cpu", "auto"
	f.StringVar(device, "device", "cpu", "`DEVICE` to compute on: cpu, cuda (the first GPU), cuda:N, or auto; GPUs need a build with the tag gpu")
	f.StringVar(gemm, "gemm", "auto", "what computes products on a `GPU`: auto (cuBLASLt for large ones where it is installed), ptx (our own kernels) or cublas")
}

// PrintJSON writes v as one line of JSON, text as it is.
func PrintJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
