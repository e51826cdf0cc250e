package kernel

import (
	"fmt"
	"testing"
)

// BenchmarkConv3x3 is 3×3 convolutions of CLIP's ResNets on one image, both ways; the operations a second are the definition's,
// whichever way. Where there are many weights, several sets take turns, so that they leave the caches as a network's do.
func BenchmarkConv3x3(b *testing.B) {
	for _, l := range []struct {
		model        string
		size, in, to int
	}{
		{"RN50x4/stem2", 144, 40, 40}, {"RN50x4/stem3", 144, 40, 80}, {"RN50x4/stage1", 72, 80, 80}, {"RN50x4/stage2", 36, 160, 160},
		{"RN50x4/stage3", 18, 320, 320}, {"RN50x4/stage4", 9, 640, 640}, {"RN50/stage4", 7, 512, 512},
	} {
		c := Conv{H: l.size, W: l.size, C: l.in, KH: 3, KW: 3, Stride: 1, Pad: 1, Out: l.to}
		weights := Mat(make([]float32, 9*c.C*c.Out), c.Out, 9*c.C)
		for i := range weights.V {
			weights.V[i] = float32(i%13-6) / 64
		}
		x, y := make([]float32, c.H*c.W*c.C), make([]float32, c.H*c.W*c.Out)
		for i := range x {
			x[i] = float32(i % 11)
		}
		ep := &Epilogue{Bias: make([]float32, c.Out), Act: ReLU}
		for _, form := range []Format{F32, BF16} {
			sets := max(1, 6*c.C*c.Out/(640*640))
			direct, winograd := make([]Packed, sets), make([][]*Packed, sets)
			for i := range sets {
				direct[i].Pack(weights.T(), form)
				for range winogradPlaces {
					winograd[i] = append(winograd[i], new(Packed))
				}
				PackWinograd(winograd[i], weights, c, form)
			}
			run := func(way string, f func(i int)) {
				b.Run(fmt.Sprintf("%s/%v/%s", l.model, form, way), func(b *testing.B) {
					for i := range b.N {
						f(i % sets)
					}
					b.ReportMetric(18e-9*float64(c.H*c.W*c.C*c.Out)*float64(b.N)/b.Elapsed().Seconds(), "GFLOP/s")
				})
			}
			run("direct", func(i int) { Conv2D(y, x, 1, c, &direct[i], ep) })
			run("winograd", func(i int) { Conv2DWinograd(Pixels{Floats: y}, Pixels{Floats: x}, 1, c, winograd[i], ep.Bias, ReLU) })
		}
	}
}

// BenchmarkConvStem is the first convolution of CLIP's ResNets, of three channels, on one image, tile by tile and in blocks.
func BenchmarkConvStem(b *testing.B) {
	for _, l := range []struct {
		model    string
		size, to int
	}{{"RN50", 224, 32}, {"RN50x4", 288, 40}, {"RN50x16", 384, 48}, {"RN50x64", 448, 64}} {
		c := Conv{H: l.size, W: l.size, C: 3, KH: 3, KW: 3, Stride: 2, Pad: 1, Out: l.to}
		oh, ow := c.OutSize()
		weights := Mat(make([]float32, c.depth()*c.Out), c.Out, c.depth())
		for i := range weights.V {
			weights.V[i] = float32(i%13-6) / 64
		}
		x, y := make([]float32, c.H*c.W*c.C), make([]float32, oh*ow*c.Out)
		for i := range x {
			x[i] = float32(i % 11)
		}
		ep := &Epilogue{Bias: make([]float32, c.Out), Act: ReLU}
		for _, form := range []Format{F32, BF16} {
			var p Packed
			p.Pack(weights.T(), form)
			for _, way := range []struct {
				name string
				conv func(y, x []float32, rows int, c Conv, w *Packed, ep *Epilogue)
			}{{"tiles", convShort}, {"blocks", convBlocks}} {
				b.Run(fmt.Sprintf("%s/%v/%s", l.model, form, way.name), func(b *testing.B) {
					for b.Loop() {
						way.conv(y, x, oh*ow, c, &p, ep)
					}
					b.ReportMetric(2e-9*float64(oh*ow*c.depth()*c.Out)*float64(b.N)/b.Elapsed().Seconds(), "GFLOP/s")
				})
			}
		}
	}
}
