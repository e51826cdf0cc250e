// Package scenes is a small world to learn captioning on: seeded pictures of coloured shapes, each with captions
// in several wordings. Some pairs of colour and shape, and some of two shapes in a relation, are kept out of training, so that
// a caption that names one was composed, not remembered.
package scenes

import (
	"image/color"
	"math/rand/v2"
)

// Size is the width and height of a picture in pixels.
const Size = 128

// The vocabulary of the world. An object's fields index these lists.
var (
	colors   = []string{"red", "yellow", "green", "cyan", "blue", "purple", "white"}
	shapes   = []string{"circle", "square", "triangle", "star", "cross", "ring", "diamond", "moon"}
	textures = []string{"", "striped", "dotted"}
	counts   = []string{"", "one", "two", "three", "four"}
)

// paint is near the corners of the cube of colours, where none lies between two others.
var paint = []color.RGBA{
	{220, 40, 40, 255}, {245, 225, 50, 255}, {40, 170, 60, 255}, {50, 215, 225, 255},
	{40, 60, 210, 255}, {190, 50, 200, 255}, {250, 250, 250, 255},
}

// ground is the colour that CLIP's preprocessing turns to zero; lines are the outlines of all objects, and stripes and dots.
// An outline tells the shape whatever the colour inside.
var (
	ground = color.RGBA{123, 117, 104, 255}
	line   = color.RGBA{0, 0, 0, 255}
)

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
	Objects []Object
}

// HeldOut tells whether s is kept from training: it shows a colour on a shape, or a shape beside or above another one, that
// training never shows together.
func (s *Scene) HeldOut() bool {
	for _, o := range s.Objects {
		if pairHeldOut(o.Color, o.Shape) {
			return true
		}
	}
	return s.Kind == Pair && relationHeldOut(s.Objects[0].Shape, s.Objects[1].Shape, across(s.Objects))
}

// pairHeldOut tells the pairs of colour and shape that training lacks: one shape of each colour, 7 of 56.
func pairHeldOut(color, shape int) bool { return shape == (5*color+3)%len(shapes) }

// relationHeldOut tells the shapes that training never shows side by side, or one above the other, in this order: 1 of 8, so that
// each shape lacks one partner in each relation.
func relationHeldOut(first, second int, across bool) bool {
	x := 3*first + second
	if across {
		x += 4
	}
	return x%len(shapes) == 0
}

// third is the third of the picture that a coordinate lies in.
func third(x float64) int { return int(3 * x / Size) }

// New draws a scene from r.
func New(r *rand.Rand) Scene {
	s := Scene{Kind: min(Pair, Kind(r.IntN(4)))} // every second one a pair: there is most to learn
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
	o.Radius = 18.7 + 1.3*r.Float64()
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
