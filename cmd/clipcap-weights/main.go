// Command clipcap-weights lists, fetches, looks into, converts and verifies files of weights and features.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

// version is set by the release build.
var version = "devel"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// misuse is an error in the command line rather than in the work: exit status 2.
type misuse struct{ error }

// subcommand is one of the command's verbs.
type subcommand struct {
	name, args, what, example string
	// prepare defines the flags and gives what to do once they are read.
	prepare func(f *flag.FlagSet) func(ctx context.Context, args []string, stdout, stderr io.Writer) error
}

var subcommands = []subcommand{inspectCommand}

const overview = `clipcap-weights looks after files of weights and features.

`

const example = `
clipcap-weights VERB --help tells more.

Example:
  clipcap-weights inspect --json model.safetensors
`

// run is the whole command; it returns the exit status: 0 done, 1 failed, 2 misused.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := dispatch(ctx, args, stdout, stderr)
	var m misuse
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &m):
		fmt.Fprintf(stderr, "clipcap-weights: %v (clipcap-weights --help says more)\n", err)
		return 2
	}
	fmt.Fprintf(stderr, "clipcap-weights: %v\n", err)
	return 1
}

func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return misuse{errors.New("say what to do: a verb is missing")}
	}
	switch args[0] {
	case "-h", "-help", "--help", "help":
		fmt.Fprint(stdout, overview)
		for _, s := range subcommands {
			fmt.Fprintf(stdout, "  clipcap-weights %-7s %-19s %s\n", s.name, s.args, s.what)
		}
		fmt.Fprint(stdout, example)
		return nil
	case "-version", "--version":
		_, err := fmt.Fprintln(stdout, "clipcap-weights", version)
		return err
	}
	for _, s := range subcommands {
		if s.name == args[0] {
			return s.run(ctx, args[1:], stdout, stderr)
		}
	}
	return misuse{fmt.Errorf("%q is not a verb", args[0])}
}

// run reads the flags, which may stand anywhere among the arguments, and does the work.
func (s subcommand) run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f := flag.NewFlagSet(s.name, flag.ContinueOnError)
	f.SetOutput(io.Discard)
	do := s.prepare(f)
	f.Usage = func() {
		f.SetOutput(stdout)
		fmt.Fprintf(stdout, "clipcap-weights %s %s: %s\n\n", s.name, s.args, s.what)
		f.PrintDefaults()
		fmt.Fprintf(stdout, "\nExample:\n  %s\n", s.example)
	}
	var rest []string
	for len(args) > 0 {
		if err := f.Parse(args); err == flag.ErrHelp {
			return err
		} else if err != nil {
			return misuse{fmt.Errorf("%s: %w", s.name, err)}
		}
		if args = f.Args(); len(args) > 0 {
			rest, args = append(rest, args[0]), args[1:]
		}
	}
	return do(ctx, rest, stdout, stderr)
}

// oneFile is the single argument of a verb that takes a file.
func oneFile(verb string, args []string) (string, error) {
	if len(args) != 1 {
		return "", misuse{fmt.Errorf("%s: %d arguments, want one file or folder", verb, len(args))}
	}
	return args[0], nil
}
