package cli

import (
	"errors"
	"flag"
	"fmt"
	"regexp"
	"time"
)

// parse reads flags up to "--" and returns the other arguments.
func parse(f *flag.FlagSet, args []string) (rest []string, err error) {
	for len(args) > 0 {
		if err := f.Parse(args); err != nil {
			return nil, explain(f, err)
		}
		read := args[:len(args)-f.NArg()]
		args = f.Args()
		if n := len(read); n > 0 && read[n-1] == "--" {
			return append(rest, args...), nil
		}
		if len(args) > 0 {
			rest, args = append(rest, args[0]), args[1:]
		}
	}
	return rest, nil
}

// What package flag says of a command line that it cannot read.
var (
	badValue   = regexp.MustCompile(`(?s)^invalid (?:boolean )?value (".*") for (?:flag )?-([^ :]+): (.*)$`)
	unknown    = regexp.MustCompile(`(?s)^flag provided but not defined: -(.*)$`)
	withoutArg = regexp.MustCompile(`^flag needs an argument: -(.*)$`)
)

// explain says which flag an error of package flag is about, spelt as it is called, and what the flag wants.
func explain(f *flag.FlagSet, err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	if m := badValue.FindStringSubmatch(err.Error()); m != nil {
		if g := f.Lookup(m[2]); g != nil {
			return fmt.Errorf("--%s %s: %s", m[2], m[1], wants(g, m[3]))
		}
	}
	if m := unknown.FindStringSubmatch(err.Error()); m != nil {
		return fmt.Errorf("--%s is not a flag of %s", m[1], f.Name())
	}
	if m := withoutArg.FindStringSubmatch(err.Error()); m != nil {
		if g := f.Lookup(m[1]); g != nil {
			return fmt.Errorf("--%s has no value: %s", m[1], wants(g, "want one"))
		}
	}
	return err
}

// wants says what values a flag takes; or else what its own Set said of the one it was given.
func wants(g *flag.Flag, said string) string {
	v, ok := g.Value.(flag.Getter)
	if !ok {
		return said
	}
	if said == "value out of range" {
		return "too large"
	}
	switch v.Get().(type) {
	case int, int64:
		return "want a whole number"
	case uint, uint64:
		return "want a whole number, 0 or more"
	case float64:
		return "want a number"
	case bool:
		return "want true or false"
	case time.Duration:
		return "want a time with its unit, such as 15s or 2m"
	}
	return said
}
