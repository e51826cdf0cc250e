package scenes

import (
	"image"
	"image/color"
	"math"
)

// Draw paints s, Size by Size pixels.
func (s *Scene) Draw() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, Size, Size))
	for y := range Size {
		for x := range Size {
			img.SetRGBA(x, y, ground)
		}
	}
	for _, o := range s.Objects {
		o.draw(img)
	}
	return img
}

// fine is how many points across and down a pixel is sampled at, for smooth edges.
const fine = 3

// draw paints the pixels o covers, in the share it covers of them.
func (o Object) draw(img *image.RGBA) {
	r := o.Radius + 1
	box := image.Rect(int(o.X-r), int(o.Y-r), int(o.X+r)+1, int(o.Y+r)+1).Intersect(img.Rect)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			var lines, fill int // sample points on lines and between them
			for i := range fine * fine {
				dx := (float64(x) + (float64(i%fine)+0.5)/fine - o.X) / o.Radius
				dy := (float64(y) + (float64(i/fine)+0.5)/fine - o.Y) / o.Radius
				switch depth := depths[o.Shape](dx, dy); {
				case depth < 0:
				case depth < edge || o.marked(dx, dy):
					lines++
				default:
					fill++
				}
			}
			blend(img, x, y, paint[o.Color], fill)
			blend(img, x, y, line, lines)
		}
	}
}

// edge is the width of an outline in radii.
const edge = 0.13

// blend puts n of a pixel's sample points in the given colour.
func blend(img *image.RGBA, x, y int, c color.RGBA, n int) {
	if n == 0 {
		return
	}
	mix := func(old, new uint8) uint8 { return uint8((int(old)*(fine*fine-n) + int(new)*n) / (fine * fine)) }
	p := img.RGBAAt(x, y)
	img.SetRGBA(x, y, color.RGBA{mix(p.R, c.R), mix(p.G, c.G), mix(p.B, c.B), 255})
}

// marked tells whether the texture puts a line or a dot at a point, in radii from the centre.
func (o Object) marked(dx, dy float64) bool {
	switch textures[o.Texture] {
	case "striped":
		return math.Abs(math.Mod(dx+dy+8, 0.6)-0.3) < 0.1
	case "dotted":
		u, v := math.Mod(dx+8.25, 0.5)-0.25, math.Mod(dy+8.25, 0.5)-0.25
		return u*u+v*v < 0.018
	}
	return false
}

// depths give, by shape, how far a point lies inside it, in radii; less than 0 outside.
var depths = [...]func(x, y float64) float64{
	func(x, y float64) float64 { return 0.92 - math.Hypot(x, y) },
	func(x, y float64) float64 { return 0.8 - max(math.Abs(x), math.Abs(y)) },
	func(x, y float64) float64 { return min(0.75-y, (y+1-1.75*math.Abs(x))/2.0) },
	star,
	func(x, y float64) float64 {
		x, y = math.Abs(x), math.Abs(y)
		return min(0.95-max(x, y), 0.36-min(x, y))
	},
	func(x, y float64) float64 { d := math.Hypot(x, y); return min(0.97-d, d-0.3) },
	func(x, y float64) float64 { return (1 - math.Abs(x)*1.2 - math.Abs(y)) / 1.56 },
	func(x, y float64) float64 { return min(0.95-math.Hypot(x, y), math.Hypot(x-0.55, y)-0.65) },
}

// star is a star of five points, one of them up.
func star(x, y float64) float64 {
	const outer, inner = 1.05, 0.5
	turn := math.Mod(math.Atan2(x, -y)+4*math.Pi, 2*math.Pi/5) // from the last point's direction on
	if turn > math.Pi/5 {
		turn = 2*math.Pi/5 - turn
	}
	// The edge runs from the point (outer, at angle 0) to the notch (inner, at angle π/5).
	nx, ny := inner*math.Cos(math.Pi/5), inner*math.Sin(math.Pi/5)
	px, py := math.Hypot(x, y)*math.Cos(turn), math.Hypot(x, y)*math.Sin(turn)
	return ((nx-outer)*py - ny*(px-outer)) / math.Hypot(nx-outer, ny)
}
