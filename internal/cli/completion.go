package cli

import (
	"flag"
	"fmt"
	"io"
	"strings"
)

// completion prints a script that teaches a shell the command's verbs and flags; file names complete as ever.
func (c *Command) completion(args []string, w io.Writer) error {
	if len(args) != 1 {
		return Misusef("--completion: want bash, zsh or fish")
	}
	if c.program != "" {
		return Misusef("--completion: ask %s for it, not a verb", c.program)
	}
	var b strings.Builder
	switch args[0] {
	case "zsh":
		b.WriteString("autoload -U +X bashcompinit && bashcompinit\n")
		fallthrough
	case "bash":
		fmt.Fprintf(&b, "complete -o default -W '%s' %s\n", strings.Join(c.words(), " "), c.Name)
	case "fish":
		for _, v := range c.Verbs {
			about, _, _ := strings.Cut(v.About, "\n")
			fmt.Fprintf(&b, "complete -c %s -n __fish_use_subcommand -a %s -d %s\n", c.Name, v.Name, quoted(about))
		}
		c.eachFlag(func(verb string, g *flag.Flag) {
			when := ""
			if verb != "" {
				when = " -n '__fish_seen_subcommand_from " + verb + "'"
			}
			_, text := flag.UnquoteUsage(g)
			fmt.Fprintf(&b, "complete -c %s%s -l %s -d %s\n", c.Name, when, g.Name, quoted(text))
		})
	default:
		return Misusef("--completion %s: want bash, zsh or fish", args[0])
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// quoted is text between single quotes, as fish reads it.
func quoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

// eachFlag visits the flags of the command or of its verbs.
func (c *Command) eachFlag(visit func(verb string, g *flag.Flag)) {
	if len(c.Verbs) == 0 {
		f, _, _ := c.flags()
		f.VisitAll(func(g *flag.Flag) { visit("", g) })
	}
	for _, v := range c.Verbs {
		f, _, _ := v.flags()
		f.VisitAll(func(g *flag.Flag) { visit(v.Name, g) })
	}
}

// words are the verbs and flags, each once.
func (c *Command) words() []string {
	words := c.verbNames()
	seen := map[string]bool{}
	c.eachFlag(func(_ string, g *flag.Flag) {
		if !seen[g.Name] {
			seen[g.Name] = true
			words = append(words, "--"+g.Name)
		}
	})
	return words
}
