package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/clipcap-go/clipcap/internal/cli"
	"github.com/clipcap-go/clipcap/weights/fetch"
)

var list = &cli.Command{
	Name: "list", About: "list the published models, and which of them are on this machine",
	Example: "clipcap-weights list",
	Setup: func(f *flag.FlagSet) cli.Work {
		asJSON := f.Bool("json", false, "print a line of JSON for each model")
		return func(_ context.Context, _ []string, stdout, _ io.Writer) error {
			return printModels(stdout, *asJSON)
		}
	},
}

// listed is what list --json prints of a model.
type listed struct {
	Name   string       `json:"name"`
	Kind   string       `json:"kind"`
	About  string       `json:"about"`
	Path   string       `json:"path,omitempty"` // of its weights, where they are on this machine
	Folder string       `json:"folder"`         // where its files belong
	Files  []listedFile `json:"files"`
}

type listedFile struct {
	Name   string   `json:"name"`
	Size   int64    `json:"size,omitempty"`
	SHA256 string   `json:"sha256,omitempty"`
	URLs   []string `json:"urls"`
}

// printModels lists the published models, and where those that are here lie.
func printModels(w io.Writer, asJSON bool) error {
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, m := range fetch.Models() {
		path, _ := m.Locate()
		folder, err := m.Folder()
		if err != nil {
			return err
		}
		if !asJSON {
			if path == "" {
				path = "not on this machine"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\n", m.Name, m.About, path)
			continue
		}
		l := listed{Name: m.Name, Kind: m.Kind, About: m.About, Path: path, Folder: folder}
		for _, file := range m.Files {
			e := listedFile{Name: file.Name, Size: file.Size, SHA256: file.SHA256}
			for _, s := range file.Sources {
				e.URLs = append(e.URLs, string(s.Host)+s.Path)
			}
			l.Files = append(l.Files, e)
		}
		if err := cli.PrintJSON(w, l); err != nil {
			return err
		}
	}
	return table.Flush()
}

var fetchCommand = &cli.Command{
	Name: "fetch", Args: "NAME…", About: `download published models
Files come from where they were published, or from a mirror; an interrupted download goes on where it stopped. What Hugging Face's
cache or ~/.cache/clip has already is not downloaded again. The path of each model's weights goes to standard output. Models are
kept in $CLIPCAP_HOME, or in clipcap in the user's cache folder; HTTPS_PROXY and HF_ENDPOINT are honoured.`,
	Example: "clipcap-weights fetch ViT-B/32 gpt2 coco",
	Setup: func(f *flag.FlagSet) cli.Work {
		base := f.String("base-url", "", "`URL` of a mirror that has the files under the same paths as the original sites")
		dir := f.String("dir", "", "`FOLDER` to put the files into, whatever is on this machine elsewhere")
		return func(ctx context.Context, args []string, stdout, stderr io.Writer) error {
			var models []fetch.Model
			for _, name := range args {
				m, ok := fetch.Find(name)
				if !ok {
					return cli.Misusef("%q is not a published model: clipcap-weights list shows them", name)
				}
				models = append(models, m)
			}
			if len(models) == 0 {
				return cli.Misusef("fetch: say which models: clipcap-weights list shows them")
			}
			g := newFetcher(*base, stderr)
			for _, m := range models {
				path, err := fetched(ctx, g, m, *dir)
				if err != nil {
					return cli.Interrupted(err, "; the same command goes on with the download where it stopped")
				}
				fmt.Fprintln(stdout, path)
			}
			return nil
		}
	},
}

func fetched(ctx context.Context, g *fetch.Fetcher, m fetch.Model, dir string) (string, error) {
	if dir != "" {
		return g.FetchTo(ctx, m, dir)
	}
	return g.Fetch(ctx, m)
}

// newFetcher tells a terminal what goes on.
func newFetcher(base string, log io.Writer) *fetch.Fetcher {
	g := &fetch.Fetcher{
		Log: func(text string) { fmt.Fprintln(log, "clipcap-weights:", text) },
		Progress: func(file string, done, total int64) fetch.Meter {
			p := cli.NewProgress(log, file, total, true)
			p.Add(done)
			return p
		},
	}
	if base != "" {
		g.Base = map[fetch.Host]string{"": base}
	}
	return g
}
