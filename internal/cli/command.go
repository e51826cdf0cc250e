// Package cli is what the commands have in common: flags that a file may fill, help with an example, exit status, version,
// progress and shell completion.
//
// Results go to standard output, everything else to standard error. The exit status is 0 when the work is done, 1 when it
// failed and 2 when the command line was wrong.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// Command is a program, or one of the verbs of a program.
type Command struct {
	Name    string // as it is called, such as clipcap-eval; a verb's own word
	Args    string // what stands after the flags, such as "FILE…"; empty: nothing may
	About   string // what it does; the first line stands in lists
	Example string // lines to copy, which end the help
	// Setup declares the flags and returns the work to be done once they are read.
	Setup func(f *flag.FlagSet) Work
	// Verbs are what the program does where it does several things; then it has no Setup.
	Verbs []*Command

	program string // of a verb: the program's name
}

// Work is what a command does with its arguments: results go to stdout, logs and progress to stderr.
type Work func(ctx context.Context, args []string, stdout, stderr io.Writer) error

// misuse is an error in the command line rather than in the work.
type misuse struct{ error }

func (m misuse) Unwrap() error { return m.error }

// Misusef makes the error of a wrong command line, which ends a command with status 2.
func Misusef(format string, args ...any) error { return misuse{fmt.Errorf(format, args...)} }

// interruption is the end of a context, and what is to be said of the work that was under way.
type interruption struct {
	error
	then string
}

func (i interruption) Unwrap() error { return i.error }

// Interrupted adds to an error that comes of the context's end what is kept and how to go on, which is said behind "interrupted". Other
// errors stay as they are.
func Interrupted(err error, format string, args ...any) error {
	if !errors.Is(err, context.Canceled) {
		return err
	}
	return interruption{err, fmt.Sprintf(format, args...)}
}

// Main runs the command with the process's arguments and ends the process. An interrupt cancels the context; a second one
// ends the process at once.
func Main(c *Command) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(c.Run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Run runs the command and returns the exit status.
func (c *Command) Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := c.dispatch(ctx, args, stdout, stderr)
	switch {
	case err == nil:
		return 0
	case errors.As(err, new(misuse)):
		fmt.Fprintf(stderr, "%s: %s (%s --help says more)\n", c.Name, oneLine(err), c.Name)
		return 2
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		text := "interrupted"
		if i := (interruption{}); errors.As(err, &i) {
			text += i.then
		}
		fmt.Fprintf(stderr, "%s: %s\n", c.Name, text)
		return 1
	}
	fmt.Fprintf(stderr, "%s: %s\n", c.Name, oneLine(err))
	return 1
}

// oneLine is an error's text on one line: joined errors stand on several.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// dispatch finds the verb, where there are verbs.
func (c *Command) dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	if len(c.Verbs) == 0 {
		return c.work(ctx, args, stdout, stderr)
	}
	if len(args) == 0 {
		return Misusef("say what to do: %s", strings.Join(c.verbNames(), ", "))
	}
	switch strings.TrimLeft(args[0], "-") {
	case "h", "help":
		return c.help(nil, stdout)
	case "version":
		return printVersion(c.Name, stdout)
	case "completion":
		return c.completion(args[1:], stdout)
	}
	for _, v := range c.Verbs {
		if v.Name == args[0] {
			v.program = c.Name
			return v.work(ctx, args[1:], stdout, stderr)
		}
	}
	return Misusef("%q is not one of %s", args[0], strings.Join(c.verbNames(), ", "))
}

func (c *Command) verbNames() []string {
	var names []string
	for _, v := range c.Verbs {
		names = append(names, v.Name)
	}
	return names
}

// called is how the command is called in full.
func (c *Command) called() string { return strings.TrimSpace(c.program + " " + c.Name) }

// common are the flags every command has.
type common struct {
	config     configFile
	completion string
	version    bool
}

// flags are the command's flags and the common ones.
func (c *Command) flags() (*flag.FlagSet, *common, Work) {
	f := flag.NewFlagSet(c.called(), flag.ContinueOnError)
	f.SetOutput(io.Discard)
	f.Usage = func() {}
	work := c.Setup(f)
	o := new(common)
	f.Var(&o.config, "config", "`FILE` of JSON that fills the flags not given, {\"flag-name\": value}")
	f.BoolVar(&o.version, "version", false, "print the version")
	f.StringVar(&o.completion, "completion", "", "print the completion script of a `SHELL`: bash, zsh or fish")
	return f, o, work
}

// work reads the flags, which may stand anywhere among the arguments, and does the work.
func (c *Command) work(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	f, o, work := c.flags()
	rest, err := parse(f, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return c.help(f, stdout)
	case err != nil:
		return misuse{err}
	case o.version:
		return printVersion(c.called(), stdout)
	case o.completion != "":
		return c.completion([]string{o.completion}, stdout)
	case c.Args == "" && len(rest) > 0:
		return Misusef("unexpected argument %q", rest[0])
	}
	if o.config.path != "" {
		if err := fill(f, o.config.path); err != nil {
			return fmt.Errorf("--config: %w", err)
		}
	}
	return work(ctx, rest, stdout, stderr)
}
