package scenes

import (
	"image"
	"image/color"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func TestSameSeedSameScene(t *testing.T) {
	for seed := range uint64(20) {
		a, b := New(random(seed)), New(random(seed))
		if x, y := a.Draw(), b.Draw(); string(x.Pix) != string(y.Pix) {
			t.Fatalf("seed %d: pictures differ", seed)
		}
		if x, y := a.Captions(random(seed), 5), b.Captions(random(seed), 5); strings.Join(x, "|") != strings.Join(y, "|") {
			t.Fatalf("seed %d: captions differ: %q and %q", seed, x, y)
		}
	}
}

// Every caption names what is there, and five of them differ.
func TestCaptionsNameTheScene(t *testing.T) {
	r := random(1)
	kinds := map[Kind]int{}
	for range 500 {
		s := New(r)
		kinds[s.Kind]++
		all := s.Captions(r, 5)
		if len(all) != 5 {
			t.Fatalf("%d captions of %+v: %q", len(all), s, all)
		}
		for _, c := range all {
			for _, o := range s.Objects {
				shape := shapes[o.Shape]
				if s.Kind == Several {
					shape = plural(shape)
				}
				if !strings.Contains(c, colors[o.Color]+" "+shape) && !strings.Contains(c, shape+" painted "+colors[o.Color]) {
					t.Errorf("%q does not name a %s %s", c, colors[o.Color], shape)
				}
			}
			if s.Kind == Several && !strings.Contains(strings.ToLower(c), counts[len(s.Objects)]+" ") {
				t.Errorf("%q does not count %d", c, len(s.Objects))
			}
		}
	}
	if len(kinds) != 3 {
		t.Errorf("kinds of scene: %v", kinds)
	}
}

// Objects show their own colour and stay in the picture, and no two lie on each other.
func TestObjectsAreVisible(t *testing.T) {
	r := random(2)
	for range 300 {
		s := New(r)
		img := s.Draw()
		for i, o := range s.Objects {
			reach := o.Radius
			if o.X-reach < 0 || o.Y-reach < 0 || o.X+reach > Size || o.Y+reach > Size {
				t.Fatalf("object %+v leaves the picture", o)
			}
			if n := count(img, o, paint[o.Color]); n < 30 {
				t.Errorf("a %s %s of radius %.0f has %d pixels of its colour", colors[o.Color], shapes[o.Shape], o.Radius, n)
			}
			for _, p := range s.Objects[:i] {
				if dx, dy := o.X-p.X, o.Y-p.Y; dx*dx+dy*dy < (o.Radius+p.Radius)*(o.Radius+p.Radius)*0.8 {
					t.Errorf("objects overlap: %+v and %+v", o, p)
				}
			}
		}
	}
}

func count(img *image.RGBA, o Object, c color.RGBA) (n int) {
	for y := int(o.Y - o.Radius); y < int(o.Y+o.Radius); y++ {
		for x := int(o.X - o.Radius); x < int(o.X+o.Radius); x++ {
			if img.RGBAAt(x, y) == c {
				n++
			}
		}
	}
	return n
}

func TestPositions(t *testing.T) {
	for _, c := range []struct {
		x, y float64
		want string
	}{{20, 20, "in the top left"}, {64, 64, "in the middle"}, {64, 110, "at the bottom"}, {110, 64, "on the right"}, {110, 20, "in the top right"}} {
		if got := position(Object{X: c.x, Y: c.y}); got != c.want {
			t.Errorf("(%v, %v) is %q, want %q", c.x, c.y, got, c.want)
		}
	}
}

// No colour and shape, and no two shapes in a relation, that are held out stand in any scene to train on or in any of its captions;
// all others do, and every scene to test on has one.
func TestHeldOutPairsAreNotInTraining(t *testing.T) {
	r := random(3)
	seen, held := map[string]bool{}, map[string]bool{}
	for range 20000 {
		s := New(r)
		shown := map[string]bool{}
		for _, o := range s.Objects {
			shown[colors[o.Color]+" "+shapes[o.Shape]] = true
		}
		if s.Kind == Pair {
			relation := " above "
			if across(s.Objects) {
				relation = " left of "
			}
			shown[shapes[s.Objects[0].Shape]+relation+shapes[s.Objects[1].Shape]] = true
		}
		for _, caption := range s.Captions(r, 5) {
			f := Read(caption)
			for i := range f.Colors {
				shown[f.Colors[i]+" "+f.Shapes[i]] = true
			}
			if f.Relation != "" {
				shown[f.Shapes[0]+" "+f.Relation+" "+f.Shapes[1]] = true
			}
		}
		if want := len(s.Objects) + 1; s.Kind == Pair && len(shown) > want || s.Kind != Pair && len(shown) != 1 {
			t.Fatalf("scene %+v and its captions show %v", s, shown)
		}
		into := seen
		if s.HeldOut() {
			into = held
		}
		for c := range shown {
			into[c] = true
		}
	}
	missing := 0
	for c := range colors {
		for s := range shapes {
			name := colors[c] + " " + shapes[s]
			if pairHeldOut(c, s) {
				missing++
			}
			if seen[name] == pairHeldOut(c, s) {
				t.Errorf("%s is in training: %v", name, seen[name])
			}
			if !held[name] {
				t.Errorf("%s is in no scene to test on", name)
			}
		}
	}
	if missing != len(colors) {
		t.Errorf("%d pairs are held out, want one of each colour", missing)
	}
	for a := range shapes {
		for b := range shapes {
			for _, side := range []bool{false, true} {
				name := shapes[a] + " above " + shapes[b]
				if side {
					name = shapes[a] + " left of " + shapes[b]
				}
				if kept := relationHeldOut(a, b, side); seen[name] == kept || kept && !held[name] {
					t.Errorf("%s is in training: %v, and to test on: %v", name, seen[name], held[name])
				}
			}
		}
	}
}

func TestRead(t *testing.T) {
	for caption, want := range map[string]Facts{
		"There is a big striped red star in the top left.": {Colors: []string{"red"}, Shapes: []string{"star"}, Size: "large", Texture: "striped", Place: "in the top left"},
		"Three little crosses painted blue":                {Colors: []string{"blue"}, Shapes: []string{"cross"}, Size: "small", Count: "three"},
		"A red star on the left side of a white moon.":     {Colors: []string{"red", "white"}, Shapes: []string{"star", "moon"}, Relation: "left of"},
		"Under a ring painted cyan is a moon painted red.": {Colors: []string{"cyan", "red"}, Shapes: []string{"ring", "moon"}, Relation: "above"},
		"On the right side of a red star is a white moon":  {Colors: []string{"red", "white"}, Shapes: []string{"star", "moon"}, Relation: "left of"},
		"a dog": {},
	} {
		if got := Read(caption); !reflect.DeepEqual(got, want) {
			t.Errorf("%q says %+v, want %+v", caption, got, want)
		}
	}
}
