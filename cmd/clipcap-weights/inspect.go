package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"strconv"

	"github.com/clipcap-go/clipcap/internal/cli"
	"github.com/clipcap-go/clipcap/internal/plural"
	"github.com/clipcap-go/clipcap/weights"
)

var inspect = &cli.Command{
	Name: "inspect", Args: "FILE", About: "say what a file of tensors holds",
	Example: "clipcap-weights inspect --json model.safetensors",
	Setup: func(f *flag.FlagSet) cli.Work {
		asJSON := f.Bool("json", false, `print {"kind":…,"config":{…},"tensors":[{"name":…,"dtype":…,"shape":[…]}]}`)
		return func(_ context.Context, args []string, stdout, _ io.Writer) error {
			path, err := oneFile("inspect", args)
			if err != nil {
				return err
			}
			s, err := weights.Open(path)
			if err != nil {
				return err
			}
			defer s.Close()
			if *asJSON {
				return cli.PrintJSON(stdout, describe(s))
			}
			return printTable(stdout, s)
		}
	},
}

// description is what inspect --json prints.
type description struct {
	Path      string            `json:"path"`
	Kind      string            `json:"kind"`
	Container weights.Container `json:"container"`
	Config    any               `json:"config"`
	Notes     []string          `json:"notes,omitempty"`
	Metadata  map[string]string `json:"metadata,omitempty"`
	Tensors   []entry           `json:"tensors"`
}

type entry struct {
	Name  string `json:"name"`
	DType string `json:"dtype"`
	Shape []int  `json:"shape"`
}

func describe(s *weights.Store) description {
	d := description{Path: s.Path, Container: s.Container, Metadata: s.Metadata, Tensors: []entry{}}
	d.Kind, d.Config, d.Notes = identify(s)
	for _, t := range s.Tensors() {
		d.Tensors = append(d.Tensors, entry{t.Name, t.DType.String(), append([]int{}, t.Shape...)})
	}
	return d
}

func printTable(w io.Writer, s *weights.Store) error {
	out := bufio.NewWriter(w)
	count, wide := 0, 0
	for _, t := range s.Tensors() {
		count, wide = count+t.Len(), max(wide, len(shown(t.Name)))
	}
	kind, config, notes := identify(s)
	fmt.Fprintf(out, "%s: %s in a %s file, %s, %s\n%s", s.Path, kind, s.Container, plural.Of(len(s.Tensors()), "tensor"), plural.Of(count, "number"), configText(config))
	for _, n := range notes {
		fmt.Fprintf(out, "note: %s\n", n)
	}
	for _, t := range s.Tensors() {
		fmt.Fprintf(out, "%-*s %-4s %v\n", min(wide, 80), shown(t.Name), t.DType, t.Shape)
	}
	return out.Flush()
}

// shown is a tensor's name for a terminal: quoted where it holds anything but plain printable text.
func shown(name string) string {
	if q := strconv.Quote(name); len(q) != len(name)+2 {
		return q
	}
	return name
}
