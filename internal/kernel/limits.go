package kernel

import "runtime"

// The functions of this file do no useful work: each keeps one part of the processor busy and
// nothing else, so that a benchmark can say how near to the machine's limit a kernel comes.

// SpinFMA runs rounds of independent float32 multiply-adds in registers on every core at once and
// returns how many floating-point operations that was. Timed, it gives the peak a matrix product
// can reach in the instruction set in use; the plain-Go form gives scalar Go's.
func SpinFMA(rounds int) float64 { return spin(rounds, fmaSpin()) }

// SpinDot does the same with AVX512-BF16's pairs of products, or returns 0 where there are none.
func SpinDot(rounds int) float64 { return spin(rounds, dotSpin()) }

// SpinTiles does the same with AMX's tile products of bfloat16, or returns 0 where there are none.
func SpinTiles(rounds int) float64 { return spin(rounds, tileSpin()) }

// spinner is one way to keep a core's multipliers busy: do runs rounds of perRound operations.
type spinner struct {
	do       func(rounds int)
	perRound int
}

type spinJob struct {
	rounds int
	do     func(rounds int)
}

func (j *spinJob) Do(int) { j.do(j.rounds) }

func spin(rounds int, s spinner) float64 {
	if s.do == nil {
		return 0
	}
	n := runtime.GOMAXPROCS(0)
	Run(n, &spinJob{rounds, s.do})
	return float64(n) * float64(rounds) * float64(s.perRound)
}

// spinScalar is the plain-Go form: four chains of multiply and add.
func spinScalar(rounds int) {
	x, y := float32(0.5), float32(1)
	var a, b, c, d float32
	for range rounds {
		a, b, c, d = a*x+y, b*x+y, c*x+y, d*x+y
	}
	keep(a + b + c + d)
}

// keep has x computed, which nobody wants.
//
//go:noinline
func keep(float32) {}

// streamPiece is how many floats of a stream one piece of work covers: 1 MiB, long enough for the
// hardware's prefetch, short enough to share evenly.
const streamPiece = 1 << 18

type streamJob struct {
	do         func(a, b, c, d []float32)
	a, b, c, d []float32
}

func (j *streamJob) Do(i int) {
	from := i * streamPiece
	cut := func(x []float32) []float32 {
		if x == nil {
			return nil
		}
		return x[from:min(from+streamPiece, len(x))]
	}
	j.do(cut(j.a), cut(j.b), cut(j.c), cut(j.d))
}

func (j *streamJob) run() { Run((len(j.a)+streamPiece-1)/streamPiece, j) }

// StreamRead reads every element of x once, on every core: 4 bytes an element.
func StreamRead(x []float32) { (&streamJob{do: readStream, a: x}).run() }

// StreamMap writes dst = src + 1, the traffic of any element-wise kernel: 8 bytes an element, plus
// what the processor reads of dst before it writes there. The lengths are equal.
func StreamMap(dst, src []float32) { (&streamJob{do: mapStream, a: dst, b: src}).run() }

// StreamUpdate adds g to p, m and v, the traffic of an AdamW step: 28 bytes an element. The lengths
// are equal.
func StreamUpdate(p, m, v, g []float32) {
	(&streamJob{do: updateStream, a: p, b: m, c: v, d: g}).run()
}

func readStream(x, _, _, _ []float32) {
	if readStreamArch(x) {
		return
	}
	var a, b, c, d float32
	for ; len(x) >= 4; x = x[4:] {
		a, b, c, d = a+x[0], b+x[1], c+x[2], d+x[3]
	}
	for _, e := range x {
		a += e
	}
	keep(a + b + c + d)
}

func mapStream(dst, src, _, _ []float32) {
	if mapStreamArch(dst, src) {
		return
	}
	for i := range dst {
		dst[i] = src[i] + 1
	}
}

func updateStream(p, m, v, g []float32) {
	if updateStreamArch(p, m, v, g) {
		return
	}
	for i, x := range g {
		p[i] += x
		m[i] += x
		v[i] += x
	}
}
