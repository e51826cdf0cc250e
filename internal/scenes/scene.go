// Package scenes is a small world to learn captioning on: seeded pictures of coloured shapes, each with captions
// in several wordings. Some combinations of colour, shape and place, count or relation are kept out of training, so that
// a caption that names one was composed, not remembered.
package scenes

import (
	"fmt"
	"hash/fnv"
	"image/color"
	"math/rand/v2"
)

// Size is the width and height of a picture in pixels.
const Size = 128

// The vocabulary of the world. An object's fields index these lists.
var (
	colors   = []string{"red", "orange", "yellow", "green", "blue", "purple", "black", "white"}
	shapes   = []string{"circle", "square", "triangle", "star", "cross", "ring"}
	textures = []string{"", "striped", "dotted"}
	counts   = []string{"", "one", "two", "three", "four"}
	grounds  = []string{"gray", "pink", "brown"}
)

var paint = []color.RGBA{
	{214, 39, 40, 255}, {255, 140, 20, 255}, {250, 220, 50, 255}, {44, 150, 60, 255},
	{40, 80, 200, 255}, {130, 60, 170, 255}, {20, 20, 20, 255}, {250, 250, 250, 255},
}

var groundPaint = []color.RGBA{{124, 118, 106, 255}, {160, 118, 122, 255}, {120, 98, 78, 255}}

// Object is one thing in a scene.
type Object struct {
	Color, Shape, Texture int
	Large                 bool
	X, Y, Radius          float64 // pixels
}

// Kind says what a scene shows.
type Kind int

// The kinds of scene.
const (
	Single Kind = iota // one object somewhere
	Several
	Pair // two objects, one beside or above the other
)

// Scene is a picture's content.
type Scene struct {
	Kind    Kind
	Ground  int
	Objects []Object
}

// HeldOut tells whether s is kept from training: one in six of the combinations of all that a caption may say of the objects, which
// is size, texture, colour, shape and place (a ninth of the picture) of one, count, texture, colour and shape of several, colours, shapes
// and relation of two. Training shows any two of these together, all of them never.
func (s *Scene) HeldOut() bool {
	h := fnv.New32a()
	o := s.Objects[0]
	switch s.Kind {
	case Single:
		fmt.Fprint(h, "one ", o.Large, o.Texture, o.Color, o.Shape, third(o.X), third(o.Y))
	case Several:
		fmt.Fprint(h, "several ", len(s.Objects), o.Texture, o.Color, o.Shape)
	case Pair:
		b := s.Objects[1]
		fmt.Fprint(h, "pair ", o.Color, o.Shape, b.Color, b.Shape, across(s.Objects))
	}
	x := h.Sum32()
	x ^= x >> 15 // FNV's low bits alone are nearly a sum of the digits
	x *= 0x2c1b3c6d
	x ^= x >> 12
	return x%6 == 0
}

// third is the third of the picture that a coordinate lies in.
func third(x float64) int { return int(3 * x / Size) }

// New draws a scene from r.
func New(r *rand.Rand) Scene {
	s := Scene{Kind: Kind(r.IntN(3)), Ground: r.IntN(len(grounds))}
	switch s.Kind {
	case Single:
		o := object(r, r.IntN(2) == 0)
		o.X, o.Y = o.place(r, r.IntN(3)), o.place(r, r.IntN(3))
		s.Objects = []Object{o}
	case Several:
		s.Objects = several(r, 2+r.IntN(3))
	case Pair:
		s.Objects = pair(r)
	}
	return s
}

func object(r *rand.Rand, large bool) Object {
	o := Object{Color: r.IntN(len(colors)), Shape: r.IntN(len(shapes)), Texture: r.IntN(2 * len(textures)), Large: large}
	if o.Texture >= len(textures) {
		o.Texture = 0 // every second object is plain
	}
	o.Radius = 17.5 + 1.5*r.Float64()
	if large {
		o.Radius = 28 + 2*r.Float64()
	}
	return o
}

// place is a coordinate in the given third of the picture, near its middle for a small object.
func (o Object) place(r *rand.Rand, third int) float64 {
	inward := 0.0 // so that a large one stays in the picture
	if o.Large {
		inward = 10
	}
	return Size/6. + Size/3.*float64(third) + 2*(r.Float64()-0.5) + inward*float64(1-third)
}

// several are n equal small objects on different places of a 3 by 3 grid.
func several(r *rand.Rand, n int) []Object {
	o := object(r, false)
	var all []Object
	for _, cell := range r.Perm(9)[:n] {
		o.X, o.Y = o.place(r, cell%3), o.place(r, cell/3)
		all = append(all, o)
	}
	return all
}

// pair are two different objects on a line, the first to the left of the second or above it.
func pair(r *rand.Rand) []Object {
	a, b := object(r, false), object(r, false)
	a.Texture, b.Texture = 0, 0
	for a.Color == b.Color && a.Shape == b.Shape {
		b.Color, b.Shape = r.IntN(len(colors)), r.IntN(len(shapes))
	}
	near, far, level := a.place(r, 0), a.place(r, 2), a.place(r, 1)
	a.X, a.Y, b.X, b.Y = near, level, far, level
	if r.IntN(2) == 0 {
		a.X, a.Y, b.X, b.Y = level, near, level, far
	}
	return []Object{a, b}
}

// across tells whether a pair stands side by side.
func across(objects []Object) bool { return objects[0].X+Size/6. < objects[1].X }
