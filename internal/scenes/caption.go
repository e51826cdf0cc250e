package scenes

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Captions are n captions of s in different wordings.
func (s *Scene) Captions(r *rand.Rand, n int) []string {
	var all []string
	seen := map[string]bool{}
	for tries := 0; len(all) < n && tries < 20*n; tries++ {
		c := s.caption(r)
		if !seen[c] {
			seen[c] = true
			all = append(all, c)
		}
	}
	return all
}

func (s *Scene) caption(r *rand.Rand) string {
	var c string
	switch s.Kind {
	case Single:
		c = s.single(r)
	case Several:
		c = s.severalOf(r)
	default:
		c = s.pairOf(r)
	}
	switch r.IntN(4) {
	case 0:
		c += " on a " + grounds[s.Ground] + " background"
	case 1:
		c += " on " + grounds[s.Ground]
	}
	return strings.ToUpper(c[:1]) + c[1:] + "."
}

// single: "a large striped red circle in the top left".
func (s *Scene) single(r *rand.Rand) string {
	o := s.Objects[0]
	what := phrase(sizeWord(r, o.Large), textures[o.Texture], colors[o.Color], shapes[o.Shape])
	where := position(o)
	switch r.IntN(4) {
	case 0:
		return fmt.Sprintf("there is %s %s", what, where)
	case 1:
		return fmt.Sprintf("%s can be seen %s", what, where)
	default:
		return fmt.Sprintf("%s %s", what, where)
	}
}

// severalOf: "three dotted blue stars".
func (s *Scene) severalOf(r *rand.Rand) string {
	o := s.Objects[0]
	words := []string{counts[len(s.Objects)], sizeWord(r, o.Large), textures[o.Texture], colors[o.Color], plural(shapes[o.Shape])}
	if r.IntN(2) == 0 {
		words[1] = ""
	}
	what := join(words...)
	switch r.IntN(3) {
	case 0:
		return "there are " + what
	case 1:
		return "a picture of " + what
	default:
		return what
	}
}

// pairOf: "a red circle to the left of a blue square", or the same from the other's side.
func (s *Scene) pairOf(r *rand.Rand) string {
	a, b := s.Objects[0], s.Objects[1]
	relation := []string{"above", "on top of", "higher than"}
	if across(s.Objects) {
		relation = []string{"to the left of", "left of", "on the left side of"}
	}
	if r.IntN(3) == 0 {
		a, b = b, a
		relation = []string{"below", "under", "beneath"}
		if across(s.Objects) {
			relation = []string{"to the right of", "right of", "on the right side of"}
		}
	}
	rel := relation[0]
	if r.IntN(2) == 0 {
		rel = relation[1+r.IntN(2)]
	}
	c := fmt.Sprintf("%s %s %s", phrase(colors[a.Color], shapes[a.Shape]), rel, phrase(colors[b.Color], shapes[b.Shape]))
	if r.IntN(3) == 0 {
		return "there is " + c
	}
	return c
}

// position names the ninth of the picture an object is in.
func position(o Object) string {
	across, down := third(o.X), third(o.Y)
	x, y := []string{"left", "", "right"}[across], []string{"top", "", "bottom"}[down]
	switch {
	case x == "" && y == "":
		return "in the middle"
	case x == "":
		return "at the " + y
	case y == "":
		return "on the " + x
	}
	return fmt.Sprintf("in the %s %s", y, x)
}

func sizeWord(r *rand.Rand, large bool) string {
	words := []string{"small", "small", "little"}
	if large {
		words = []string{"large", "large", "big"}
	}
	return words[r.IntN(3)]
}

func plural(shape string) string {
	if shape == "cross" {
		return "crosses"
	}
	return shape + "s"
}

// phrase joins words, "a" or "an" in front.
func phrase(words ...string) string {
	p := join(words...)
	if strings.ContainsAny(p[:1], "aeiou") {
		return "an " + p
	}
	return "a " + p
}

func join(words ...string) string {
	var kept []string
	for _, w := range words {
		if w != "" {
			kept = append(kept, w)
		}
	}
	return strings.Join(kept, " ")
}
