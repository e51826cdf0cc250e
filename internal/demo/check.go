package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/clipcap-go/clipcap/internal/scenes"
)

func checkCommand(flags *flag.FlagSet) func() error {
	captions := flags.String("captions", "", "`file` of clipcap-caption --json")
	annotations := flags.String("annotations", "", "`file` of the scenes' own captions")
	return func() error {
		f, err := os.Open(*captions)
		if err != nil {
			return err
		}
		defer f.Close()
		truth, err := readTruth(*annotations)
		if err != nil {
			return fmt.Errorf("%s: %w", *annotations, err)
		}
		table, err := check(f, truth)
		if err != nil {
			return fmt.Errorf("%s: %w", *captions, err)
		}
		table.print(os.Stdout)
		return nil
	}
}

// readTruth gathers what all captions of each image say, by the image's file name.
func readTruth(path string) (map[string]scenes.Facts, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var a annotations
	if err := json.Unmarshal(text, &a); err != nil {
		return nil, err
	}
	names := map[int]string{}
	for _, img := range a.Images {
		names[img.ID] = img.FileName
	}
	all := map[string]scenes.Facts{}
	for _, c := range a.Annotations {
		name := names[c.ImageID]
		all[name] = all[name].And(scenes.Read(c.Caption))
	}
	return all, nil
}

// row counts captions that are right in one respect, among those that speak of it or ought to.
type row struct {
	name      string
	right, of int
}

type table []row

// count adds one caption to the row of a name.
func (t *table) count(name string, right bool) {
	i := slices.IndexFunc(*t, func(r row) bool { return r.name == name })
	if i < 0 {
		i, *t = len(*t), append(*t, row{name: name})
	}
	(*t)[i].of++
	if right {
		(*t)[i].right++
	}
}

// check holds the lines of clipcap-caption --json against the truth. Colours, shapes, numbers and relations must be named; what
// else a caption says must be true.
func check(r io.Reader, truth map[string]scenes.Facts) (table, error) {
	var t table
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		var line struct {
			Image    string
			Captions []struct{ Caption string }
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		want, ok := truth[line.Image]
		if !ok || len(line.Captions) == 0 {
			return nil, fmt.Errorf("line %d: want a caption of a scene in the annotations", n)
		}
		said := scenes.Read(line.Captions[0].Caption)
		colors, shapes := slices.Equal(said.Colors, want.Colors), slices.Equal(said.Shapes, want.Shapes)
		number, relation := said.Count == want.Count, said.Relation == want.Relation
		t.count("colours", colors)
		t.count("shapes", shapes)
		t.count("colours and shapes", colors && shapes)
		if want.Count != "" {
			t.count("number", number)
		}
		if want.Relation != "" {
			t.count("relation", relation)
			t.count("relation, colours and shapes", relation && colors && shapes)
		}
		rest := true
		for _, part := range []struct{ name, said, want string }{
			{"texture", said.Texture, want.Texture}, {"size", said.Size, want.Size}, {"place", said.Place, want.Place},
		} {
			if part.said != "" || part.name == "texture" && part.want != "" {
				t.count(part.name, part.said == part.want)
				rest = rest && part.said == part.want
			}
		}
		t.count("all that is said", colors && shapes && number && relation && rest)
	}
	return t, lines.Err()
}

// order of the rows when printed.
var order = []string{"colours", "shapes", "colours and shapes", "number", "relation", "relation, colours and shapes", "texture", "size", "place", "all that is said"}

func (t table) print(w io.Writer) {
	fmt.Fprintf(w, "%-30s %5s %5s %6s\n", "captions right in", "right", "of", "share")
	for _, name := range order {
		for _, r := range t {
			if r.name == name {
				fmt.Fprintf(w, "%-30s %5d %5d %6.3f\n", r.name, r.right, r.of, float64(r.right)/float64(r.of))
			}
		}
	}
}
