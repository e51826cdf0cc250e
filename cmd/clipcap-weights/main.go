// Command clipcap-weights lists, fetches, looks into, converts and verifies files of weights and features.
package main

import "github.com/clipcap-go/clipcap/internal/cli"

func main() { cli.Main(program) }

var program = &cli.Command{
	Name:    "clipcap-weights",
	About:   "clipcap-weights looks after files of weights and features.",
	Example: "clipcap-weights fetch ViT-B/32 gpt2\nclipcap-weights inspect --json model.safetensors",
	Verbs:   []*cli.Command{list, fetchCommand, inspect, convert, verify},
}

// oneFile is the single argument of a verb that takes a file.
func oneFile(verb string, args []string) (string, error) {
	if len(args) != 1 {
		return "", cli.Misusef("%s: %d arguments, want one file or folder", verb, len(args))
	}
	return args[0], nil
}
