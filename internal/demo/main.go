// Command demo makes what `make demo` feeds to the real commands, and draws what comes out.
//
//	go run ./internal/demo draw -out DIR    pictures and captions to train and to test on, a CLIP and the words of a GPT-2
//	go run ./internal/demo check …          how many captions name the right colours, shapes, relations
//	go run ./internal/demo sheet …          a contact sheet of pictures with their captions
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	if len(os.Args) < 2 {
		fail(2, fmt.Errorf("want draw, check or sheet"))
	}
	flags := flag.NewFlagSet("demo "+os.Args[1], flag.ExitOnError)
	var run func() error
	switch os.Args[1] {
	case "draw":
		run = drawCommand(flags)
	case "check":
		run = checkCommand(flags)
	case "sheet":
		run = sheetCommand(flags)
	default:
		fail(2, fmt.Errorf("%q: want draw, check or sheet", os.Args[1]))
	}
	flags.Parse(os.Args[2:])
	if err := run(); err != nil {
		fail(1, err)
	}
}

func fail(status int, err error) {
	fmt.Fprintln(os.Stderr, "demo:", err)
	os.Exit(status)
}
