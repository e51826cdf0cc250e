package scenes

import (
	"slices"
	"strings"
)

// Facts are what a caption says of a scene; what it leaves out is empty.
type Facts struct {
	// Colors and Shapes are of the objects, in the order in which they are named.
	Colors, Shapes []string
	Count          string
	Size, Texture  string
	Relation       string // "above" or "left of"
	Place          string
}

// Read finds what a caption in the words of Scene.Captions says.
func Read(caption string) Facts {
	text := " " + strings.TrimSuffix(strings.ToLower(strings.TrimSpace(caption)), ".") + " "
	var f Facts
	for axis, relation := range []string{"above", "left of"} {
		for i := range 2 * len(before[axis]) {
			words := append(before[axis][:], behind[axis][:]...)[i]
			if from, to, ok := strings.Cut(text, " "+words+" "); ok {
				text, f.Relation = from+" "+to, relation
			}
		}
	}
	for _, y := range []string{"", "top", "bottom"} {
		for _, x := range []string{"", "left", "right"} {
			if place := placeName(x, y); strings.Contains(text, " "+place+" ") {
				f.Place = place
			}
		}
	}
	for _, w := range strings.Fields(text) {
		switch {
		case slices.Contains(colors, w):
			f.Colors = append(f.Colors, w)
		case slices.Contains(counts[2:], w):
			f.Count = w
		case slices.Contains(textures, w):
			f.Texture = w
		case w == "small" || w == "little":
			f.Size = "small"
		case w == "large" || w == "big":
			f.Size = "large"
		}
		for _, s := range shapes {
			if w == s || w == plural(s) {
				f.Shapes = append(f.Shapes, s)
			}
		}
	}
	return f
}

// And completes f by what g says more.
func (f Facts) And(g Facts) Facts {
	if f.Shapes == nil {
		f.Colors, f.Shapes = g.Colors, g.Shapes
	}
	for _, p := range []struct {
		to   *string
		from string
	}{{&f.Count, g.Count}, {&f.Size, g.Size}, {&f.Texture, g.Texture}, {&f.Relation, g.Relation}, {&f.Place, g.Place}} {
		if *p.to == "" {
			*p.to = p.from
		}
	}
	return f
}
