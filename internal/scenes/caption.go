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
	return strings.ToUpper(c[:1]) + c[1:] + "."
}

// single: "a large striped red circle in the top left".
func (s *Scene) single(r *rand.Rand) string {
	o := s.Objects[0]
	what := "a " + named(r.IntN(3) == 0, sizeWord(r, o.Large), textures[o.Texture], o, shapes[o.Shape])
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
	size := ""
	if r.IntN(2) == 0 {
		size = sizeWord(r, o.Large)
	}
	what := counts[len(s.Objects)] + " " + named(r.IntN(3) == 0, size, textures[o.Texture], o, plural(shapes[o.Shape]))
	switch r.IntN(3) {
	case 0:
		return "there are " + what
	case 1:
		return "a picture of " + what
	default:
		return what
	}
}

// pairOf: "a red circle to the left of a blue square" or "to the right of a red circle is a blue square".
func (s *Scene) pairOf(r *rand.Rand) string {
	last := r.IntN(3) == 0
	name := func(o Object) string { return "a " + named(last, "", "", o, shapes[o.Shape]) }
	a, b := name(s.Objects[0]), name(s.Objects[1])
	axis := 0
	if across(s.Objects) {
		axis = 1
	}
	if r.IntN(3) == 0 {
		return behind[axis][r.IntN(3)] + " " + a + " is " + b
	}
	c := a + " " + before[axis][r.IntN(3)] + " " + b
	if r.IntN(3) == 0 {
		return "there is " + c
	}
	return c
}

// before and behind are the words for a pair's relation, one above the other or side by side, as seen from either object.
var (
	before = [2][3]string{{"above", "on top of", "higher than"}, {"to the left of", "left of", "on the left side of"}}
	behind = [2][3]string{{"below", "under", "beneath"}, {"to the right of", "right of", "on the right side of"}}
)

// position names the ninth of the picture an object is in.
func position(o Object) string {
	return placeName([]string{"left", "", "right"}[third(o.X)], []string{"top", "", "bottom"}[third(o.Y)])
}

func placeName(x, y string) string {
	switch {
	case x == "" && y == "":
		return "in the middle"
	case x == "":
		return "at the " + y
	case y == "":
		return "on the " + x
	}
	return "in the " + y + " " + x
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

// named is what an object is called: "large striped red circle" or, the colour last, "large striped circle painted red".
func named(last bool, size, texture string, o Object, shape string) string {
	if last {
		return join(size, texture, shape, "painted", colors[o.Color])
	}
	return join(size, texture, colors[o.Color], shape)
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
