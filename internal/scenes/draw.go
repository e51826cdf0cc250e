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
			img.SetRGBA(x, y, groundPaint[s.Ground])
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
			var first, second int // sample points in either of the texture's paints
			for i := range fine * fine {
				dx := (float64(x) + (float64(i%fine)+0.5)/fine - o.X) / o.Radius
				dy := (float64(y) + (float64(i/fine)+0.5)/fine - o.Y) / o.Radius
				switch {
				case !inside[o.Shape](dx, dy):
				case o.marked(dx, dy):
					second++
				default:
					first++
				}
			}
			blend(img, x, y, paint[o.Color], first)
			blend(img, x, y, contrast(paint[o.Color]), second)
		}
	}
}

// blend puts n of a pixel's sample points in the given colour.
func blend(img *image.RGBA, x, y int, c color.RGBA, n int) {
	if n == 0 {
		return
	}
	mix := func(old, new uint8) uint8 { return uint8((int(old)*(fine*fine-n) + int(new)*n) / (fine * fine)) }
	p := img.RGBAAt(x, y)
	img.SetRGBA(x, y, color.RGBA{mix(p.R, c.R), mix(p.G, c.G), mix(p.B, c.B), 255})
}

// contrast is the paint of stripes and dots on c: towards black on light colours, towards white on dark ones.
func contrast(c color.RGBA) color.RGBA {
	to := 255
	if 3*int(c.R)+6*int(c.G)+int(c.B) > 5*255 {
		to = 0
	}
	half := func(v uint8) uint8 { return uint8((int(v)*2 + to*3) / 5) }
	return color.RGBA{half(c.R), half(c.G), half(c.B), 255}
}

// marked tells whether the texture puts its second paint at a point, in radii from the centre.
func (o Object) marked(dx, dy float64) bool {
	switch textures[o.Texture] {
	case "striped":
		return math.Mod(dx+dy+8, 0.5) < 0.25
	case "dotted":
		u, v := math.Mod(dx+8.25, 0.5)-0.25, math.Mod(dy+8.25, 0.5)-0.25
		return u*u+v*v < 0.02
	}
	return false
}

// inside tells, by shape, whether a point is in it; all fit in the unit circle or a little less.
var inside = [...]func(x, y float64) bool{
	func(x, y float64) bool { return x*x+y*y < 0.85 },
	func(x, y float64) bool { return math.Abs(x) < 0.78 && math.Abs(y) < 0.78 },
	func(x, y float64) bool { return y < 0.75 && y > -0.9+1.8*math.Abs(x) },
	star,
	func(x, y float64) bool {
		x, y = math.Abs(x), math.Abs(y)
		return x < 0.9 && y < 0.9 && min(x, y) < 0.28
	},
	func(x, y float64) bool { d := x*x + y*y; return d < 0.9 && d > 0.3 },
}

// star is a star of five points, one of them up.
func star(x, y float64) bool {
	const outer, inner = 1, 0.4
	turn := math.Mod(math.Atan2(x, -y)+4*math.Pi, 2*math.Pi/5) // from the last point's direction on
	if turn > math.Pi/5 {
		turn = 2*math.Pi/5 - turn
	}
	// The edge runs from the point (outer, at angle 0) to the notch (inner, at angle π/5).
	nx, ny := inner*math.Cos(math.Pi/5), inner*math.Sin(math.Pi/5)
	px, py := math.Hypot(x, y)*math.Cos(turn), math.Hypot(x, y)*math.Sin(turn)
	return (nx-outer)*py-ny*(px-outer) > 0
}
