package main

import (
	"fmt"

	"github.com/clipcap-go/clipcap/internal/kernel"
)

// convolutions are the kinds that RN50x4 and the vision transformers are made of.
var convolutions = []struct {
	name string
	kernel.Conv
}{
	{"stem", kernel.Conv{H: 288, W: 288, C: 3, KH: 3, KW: 3, Stride: 2, Pad: 1, Out: 40}},
	{"stem", kernel.Conv{H: 144, W: 144, C: 40, KH: 3, KW: 3, Stride: 1, Pad: 1, Out: 40}},
	{"stem", kernel.Conv{H: 144, W: 144, C: 40, KH: 3, KW: 3, Stride: 1, Pad: 1, Out: 80}},
	{"layer1", kernel.Conv{H: 72, W: 72, C: 320, KH: 1, KW: 1, Stride: 1, Out: 80}},
	{"layer1", kernel.Conv{H: 72, W: 72, C: 80, KH: 3, KW: 3, Stride: 1, Pad: 1, Out: 80}},
	{"layer1", kernel.Conv{H: 72, W: 72, C: 80, KH: 1, KW: 1, Stride: 1, Out: 320}},
	{"layer2", kernel.Conv{H: 36, W: 36, C: 160, KH: 3, KW: 3, Stride: 1, Pad: 1, Out: 160}},
	{"layer3", kernel.Conv{H: 18, W: 18, C: 320, KH: 3, KW: 3, Stride: 1, Pad: 1, Out: 320}},
	{"layer4", kernel.Conv{H: 9, W: 9, C: 640, KH: 3, KW: 3, Stride: 1, Pad: 1, Out: 640}},
	{"patches 32", kernel.Conv{H: 224, W: 224, C: 3, KH: 32, KW: 32, Stride: 32, Out: 768}},
	{"patches 14", kernel.Conv{H: 224, W: 224, C: 3, KH: 14, KW: 14, Stride: 14, Out: 1024}},
}

// convRows are convolutions with bias and ReLU against the multiply-add peak, and average pooling
// against reading memory.
func convRows() []row {
	var all []row
	for _, images := range []int{1, 16} {
		for _, c := range convolutions {
			oh, ow := c.OutSize()
			depth := c.KH * c.KW * c.C
			shape := fmt.Sprintf("%s %dx%dx%d %d-%d", c.name, images, oh, ow, c.C, c.Out)
			all = append(all, row{fmt.Sprintf("conv %dx%d/%d", c.KH, c.KW, c.Stride), shape, func() contest {
				x, y := spread(images*c.H*c.W*c.C), touched(images*oh*ow*c.Out)
				w, ep := weight(depth, c.Out, false, kernel.F32), kernel.Epilogue{Bias: touched(c.Out), Act: kernel.ReLU}
				return contest{unit: "GFLOP/s", work: 2 * float64(images*oh*ow*depth*c.Out), limit: fmaPeak(),
					run: func() { kernel.Conv2D(y, x, images, c.Conv, w, &ep) }}
			}})
		}
	}
	for _, p := range [][3]int{{144, 80, 2}, {36, 320, 2}} {
		side, c, k := p[0], p[1], p[2]
		n := 16 * side * side * c
		all = append(all, row{"avgpool", dims(16, side, side, c), func() contest {
			x, y := touched(n), touched(n/k/k)
			return contest{unit: "GB/s", work: 4 * float64(n+n/k/k), limit: readMemory(),
				run: func() { kernel.AvgPool(y, x, 16, side, side, c, k) }}
		}})
	}
	return all
}
