package cli

import (
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// help prints what the command does, its flags or verbs, and its example.
func (c *Command) help(f *flag.FlagSet, w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nUsage:\n", strings.TrimSpace(c.About))
	out := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	if f == nil {
		for _, v := range c.Verbs {
			about, _, _ := strings.Cut(v.About, "\n")
			fmt.Fprintf(out, "  %s %s\t%s\n", c.Name, strings.TrimSpace(v.Name+" "+v.Args), about)
		}
		out.Flush()
		fmt.Fprintf(&b, "\n%s VERB --help says more of one; --version prints the version, --completion SHELL the script of bash, zsh or fish.\n", c.Name)
	} else {
		fmt.Fprintf(out, "  %s\n\nFlags:\n", strings.TrimSpace(c.called()+" [flags] "+c.Args))
		f.VisitAll(func(g *flag.Flag) { fmt.Fprintf(out, "  --%s\t%s\n", flagName(g), flagText(g)) })
		out.Flush()
	}
	fmt.Fprintf(&b, "\nExample:\n  %s\n", strings.ReplaceAll(strings.TrimSpace(c.Example), "\n", "\n  "))
	_, err := io.WriteString(w, b.String())
	return err
}

// flagName is a flag with the name of its value.
func flagName(g *flag.Flag) string {
	value, _ := flag.UnquoteUsage(g)
	switch value {
	case "":
		return g.Name
	case "string", "value":
		value = "text"
	case "float":
		value = "number"
	case "int", "uint":
		value = "n"
	}
	return g.Name + " " + strings.ToUpper(value)
}

// flagText is what a flag does, with its default where that says something.
func flagText(g *flag.Flag) string {
	_, text := flag.UnquoteUsage(g)
	if d := g.DefValue; d != "" && d != "0" && d != "false" && d != "[]" && !strings.Contains(text, "default") {
		text += " (default " + d + ")"
	}
	return text
}
