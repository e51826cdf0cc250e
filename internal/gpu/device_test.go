package gpu_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/clipcap-go/clipcap/internal/gpu"
	"github.com/clipcap-go/clipcap/internal/gpu/ptxsim"
)

// bench is a simulated device and what a test keeps on it. Every buffer is exactly as long as its numbers, so that a
// kernel that reads or writes beside them fails.
type bench struct {
	t   testing.TB
	dev *gpu.Device
	rec *gpu.Recorder
	rng *rand.Rand
}

func open(t testing.TB) *bench {
	t.Helper()
	driver, err := ptxsim.Open(1 << 30)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { driver.Close() }) // past the recorder, which would count what tests leave
	return on(t, driver)
}

func on(t testing.TB, driver gpu.Driver) *bench {
	t.Helper()
	rec := &gpu.Recorder{Next: driver}
	dev, err := gpu.NewDevice(rec)
	if err != nil {
		t.Fatal(err)
	}
	return &bench{t: t, dev: dev, rec: rec, rng: rand.New(rand.NewPCG(1, 2))}
}

// random are n numbers of the normal distribution.
func (b *bench) random(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(b.rng.NormFloat64())
	}
	return v
}

// up brings a matrix to the device: numbers with rows stride apart, the last row cut short.
func (b *bench) up(v []float32, rows, cols, stride int) gpu.Matrix {
	b.t.Helper()
	n := 0
	if rows > 0 {
		n = (rows-1)*stride + cols
	}
	p, err := b.dev.Alloc(4 * max(1, n))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := gpu.Upload(b.dev, p, v[:n]); err != nil {
		b.t.Fatal(err)
	}
	return gpu.Matrix{Ptr: p, Rows: rows, Cols: cols, Stride: stride}
}

// dense is up for rows end to end.
func (b *bench) dense(v []float32, rows, cols int) gpu.Matrix { return b.up(v, rows, cols, cols) }

// zeros is a matrix for results.
func (b *bench) zeros(rows, cols int) gpu.Matrix {
	return b.dense(make([]float32, rows*cols), rows, cols)
}

func (b *bench) ints(v ...int32) gpu.Ptr {
	b.t.Helper()
	p, err := b.dev.Alloc(4 * max(1, len(v)))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := gpu.Upload(b.dev, p, v); err != nil {
		b.t.Fatal(err)
	}
	return p
}

// down reads a matrix, rows end to end.
func (b *bench) down(m gpu.Matrix) []float32 {
	b.t.Helper()
	out := make([]float32, m.Rows*m.Cols)
	for i := range m.Rows {
		if err := gpu.Download(b.dev, out[i*m.Cols:][:m.Cols], m.Ptr+gpu.Ptr(4*i*m.Stride)); err != nil {
			b.t.Fatal(err)
		}
	}
	return out
}

// check holds a result against what is wanted, to a share of the greatest number, at least 1.
func (b *bench) check(what string, got gpu.Matrix, want []float32, tolerance float64) {
	b.t.Helper()
	b.compare(what, b.down(got), want, tolerance)
}

func (b *bench) compare(what string, got, want []float32, tolerance float64) {
	b.t.Helper()
	if len(got) != len(want) {
		b.t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	scale := 1.0
	for _, x := range want {
		scale = max(scale, math.Abs(float64(x)))
	}
	for i := range want {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= tolerance*scale) {
			b.t.Fatalf("%s: number %d is %g, want %g (greatest %g)", what, i, got[i], want[i], scale)
		}
	}
}

// reverse makes a simulated device run warps and blocks the other way round.
func (b *bench) reverse(on bool) {
	if sim, ok := b.rec.Next.(*ptxsim.Driver); ok {
		sim.Device.Reverse = on
	}
}

func (b *bench) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}
