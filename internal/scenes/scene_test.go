package scenes

import (
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
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
				if !strings.Contains(c, colors[o.Color]+" "+shapes[o.Shape]) {
					t.Errorf("%q does not name a %s %s", c, colors[o.Color], shapes[o.Shape])
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

// What is kept from training can still be composed: training shows every colour with every shape, and each of them in every
// place and number, but never all that a held-out scene is.
func TestHeldOutCombinationsCanBeComposed(t *testing.T) {
	r := random(3)
	kept, held := map[string]bool{}, map[string]bool{}
	two := map[string]bool{}
	out := 0
	const n = 20000
	for range n {
		s := New(r)
		o := s.Objects[0]
		if s.HeldOut() {
			out++
			held[whole(s)] = true
			continue
		}
		kept[whole(s)] = true
		two[colors[o.Color]+" "+shapes[o.Shape]] = true
		switch s.Kind {
		case Single:
			two[colors[o.Color]+" "+position(o)], two[shapes[o.Shape]+" "+position(o)] = true, true
		case Several:
			two[colors[o.Color]+" "+counts[len(s.Objects)]], two[shapes[o.Shape]+" "+counts[len(s.Objects)]] = true, true
		}
	}
	if share := float64(out) / n; share < 0.14 || share > 0.20 {
		t.Errorf("%.3f of the scenes are held out, want a sixth", share)
	}
	if want := 8*6 + 9*(8+6) + 3*(8+6); len(two) != want {
		t.Errorf("training shows %d combinations of two, want all %d", len(two), want)
	}
	for c := range held {
		if kept[c] {
			t.Fatalf("%s is in training and held out", c)
		}
	}
}

// whole names all that a scene's captions may tell but the ground.
func whole(s Scene) string {
	o := s.Objects[0]
	c := colors[o.Color] + " " + shapes[o.Shape]
	switch s.Kind {
	case Single:
		return fmt.Sprint(o.Large, textures[o.Texture], c, position(o))
	case Several:
		return counts[len(s.Objects)] + textures[o.Texture] + c
	}
	b := s.Objects[1]
	relation := " above "
	if across(s.Objects) {
		relation = " left of "
	}
	return c + relation + colors[b.Color] + " " + shapes[b.Shape]
}
