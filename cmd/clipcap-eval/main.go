// Command clipcap-eval scores captions as coco-caption does, and shows the tokens it scores.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

// version is set by the release build.
var version = "devel"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// misuse is an error in the command line rather than in the work: exit status 2.
type misuse struct{ error }

// run is the whole command; it returns the exit status: 0 done, 1 failed, 2 misused.
func run(args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stdout)
	if err == nil {
		err = o.do(stdout, stderr)
	}
	var m misuse
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.As(err, &m):
		fmt.Fprintf(stderr, "clipcap-eval: %v (clipcap-eval --help lists the flags)\n", err)
		return 2
	}
	fmt.Fprintf(stderr, "clipcap-eval: %v\n", err)
	return 1
}
