package nn

import (
	"math"
	"testing"

	"github.com/clipcap-go/clipcap/internal/gpu"
	"github.com/clipcap-go/clipcap/internal/gpu/ptxsim"
)

// simulated is a GPU backend on the simulated device; at the end of the test everything must have been given back.
func simulated(t testing.TB, p Precision) *GPU {
	t.Helper()
	be, _ := recorded(t, p)
	return be
}

// recorded is simulated with a look at what the driver is asked for.
func recorded(t testing.TB, p Precision) (*GPU, *gpu.Recorder) {
	t.Helper()
	driver, err := ptxsim.Open(1 << 30)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { driver.Close() })
	r := &gpu.Recorder{Next: driver}
	d, err := gpu.NewDevice(r)
	if err != nil {
		t.Fatal(err)
	}
	return NewGPU(d, "cuda:sim", p), r
}

// Every operation and every gradient on the simulated GPU agrees with the float64 reference.
func TestGPUAgreesWithReference(t *testing.T) {
	for _, c := range opCases() {
		t.Run(c.name, func(t *testing.T) {
			gpu := simulated(t, Float32)
			gpu.vocab = 5
			var results [2][][]float64
			for i, be := range []Backend{NewReference(), gpu} {
				results[i] = opResults(t, c, be)
			}
			if err := gpu.Close(); err != nil {
				t.Error(err)
			}
			for i, want := range results[0] {
				scale := 1.0
				for _, x := range want {
					scale = max(scale, math.Abs(x))
				}
				if d := maxDiff(results[1][i], want); !(d <= 3e-6*scale) {
					t.Errorf("output %d differs by %g of %g", i, d, scale)
				}
			}
		})
	}
}

// The whole stack on the simulated GPU, loss and gradients, forwards and backwards through the grid, in every precision.
func TestGPUStack(t *testing.T) {
	cfg := stackConfig{dim: 24, heads: 3, layers: 1, vocab: 301, prefix: 3, feature: 7, images: 4, tokens: 9, drop: 0.1}
	s := newStack(t, cfg)
	run := func(be Backend) (float64, [][]float64) {
		b, m, grads := stackMachine(t, be, s)
		b.fill(t, cfg, 2, 9, 1, 0, 5)
		if err := m.RunAll(); err != nil {
			t.Fatal(err)
		}
		var ds [][]float64
		for _, n := range grads.Of {
			ds = append(ds, floats(t, m, n))
		}
		return floats(t, m, b.loss)[0], ds
	}
	loss, want := run(NewReference())
	for _, c := range []struct {
		p         Precision
		loss, cos float64
	}{{Float32, 1e-6, 1 - 1e-9}, {High, 1e-5, 1 - 1e-8}, {BFloat16, 3e-2, 0.999}} {
		be := simulated(t, c.p)
		be.vocab = 128
		l, ds := run(be)
		if d := math.Abs(l - loss); !(d <= c.loss*loss) {
			t.Errorf("%v: loss %g, want %g", c.p, l, loss)
		}
		for i, d := range ds {
			norm := math.Sqrt(dot(d, d) * dot(want[i], want[i]))
			if cos := dot(d, want[i]) / norm; norm > 1e-12 && !(cos >= c.cos) {
				t.Errorf("%v: gradient of %s has cosine %.9f with the reference", c.p, s.params[i].Name, cos)
			}
		}
	}
}

// Training on the GPU follows training on the CPU, uploads no weight after the first step, updates all parameters in one
// launch, and captures the step as a graph once it has come a few times.
func TestGPUTraining(t *testing.T) {
	cfg := small
	cfg.drop = 0.2
	train := func(be Backend, check func(step int)) (losses []float64, data [][]float32) {
		s := newStack(t, cfg)
		b, m, grads := stackMachine(t, be, s)
		o, err := NewAdamW(m, s.params.Trainable(), grads.Of)
		if err != nil {
			t.Fatal(err)
		}
		for step := range 6 {
			b.fill(t, cfg, uint64(step%2), 6, 2, 3)
			if err := m.RunAll(); err != nil {
				t.Fatal(err)
			}
			norm, err := o.Norm()
			if err != nil {
				t.Fatal(err)
			}
			if err := o.Update(1e-2, 1/max(1, norm)); err != nil {
				t.Fatal(err)
			}
			losses = append(losses, floats(t, m, b.loss)[0])
			check(step)
		}
		if err := o.Fetch(); err != nil {
			t.Fatal(err)
		}
		for _, p := range s.params {
			data = append(data, p.Data)
		}
		return losses, data
	}
	want, data := train(NewCPU(Float32), func(int) {})
	be, r := recorded(t, Float32)
	updates := 0
	got, theirs := train(be, func(step int) {
		for _, e := range r.Events {
			if e.Launch.Kernel == "adamw" {
				updates++
			}
			if e.Call == "Upload" && step > 0 && e.Bytes > 4*cfg.images*(cfg.prefix+cfg.tokens) {
				t.Errorf("step %d uploads %d bytes", step, e.Bytes)
			}
		}
		if r.Count("Replay") != min(1, max(0, step-1)) {
			t.Errorf("step %d: %d replays", step, r.Count("Replay"))
		}
		r.Forget()
	})
	if updates != 6 {
		t.Errorf("%d launches of adamw in 6 steps", updates)
	}
	for i := range want {
		if d := math.Abs(got[i] - want[i]); !(d <= 1e-5*want[i]) {
			t.Errorf("step %d: loss %.7f, on the CPU %.7f", i, got[i], want[i])
		}
	}
	for i := range data {
		for j, x := range data[i] {
			if d := math.Abs(float64(x - theirs[i][j])); !(d <= 2e-4) {
				t.Fatalf("parameter %d differs by %g at %d", i, d, j)
			}
		}
	}
}
