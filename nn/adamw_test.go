package nn

import (
	"errors"
	"math"
	"testing"
)

// TestAdamW holds both backends to the formula over some steps, with decay on some parameters, a scale, and accumulated gradients.
func TestAdamW(t *testing.T) {
	for _, be := range []Backend{NewCPU(Float32), NewReference()} {
		s := newStack(t, small)
		b, m, grads := stackMachine(t, be, s)
		o, err := NewAdamW(m, s.params, grads.Of)
		if err != nil {
			t.Fatal(err)
		}
		o.WeightDecay = make([]float32, len(s.params))
		o.WeightDecay[1] = 0.1
		type state struct{ p, m, v []float64 }
		want := make([]state, len(s.params))
		for i, p := range s.params {
			n := len(p.Data)
			want[i] = state{make([]float64, n), make([]float64, n), make([]float64, n)}
			for j, x := range p.Data {
				want[i].p[j] = float64(x)
			}
		}
		for step := 1; step <= 3; step++ {
			sum := make([][]float64, len(s.params))
			runs := 1
			if step == 2 {
				runs = 2
			}
			for r := range runs {
				b.fill(t, small, uint64(step*10+r), 6, 2)
				if err := m.RunAll(); err != nil {
					t.Fatal(err)
				}
				for i := range s.params {
					g := floats(t, m, grads.Of[i])
					if sum[i] == nil {
						sum[i] = make([]float64, len(g))
					}
					for j := range g {
						sum[i][j] += g[j]
					}
				}
				if runs > 1 {
					if err := o.Accumulate(); err != nil {
						t.Fatal(err)
					}
				}
			}
			const lr, scale = 0.01, 0.5
			var squares float64
			for i := range want {
				w := want[i]
				for j, g := range sum[i] {
					squares += g * g
					g *= scale
					w.m[j] = 0.9*w.m[j] + 0.1*g
					w.v[j] = 0.999*w.v[j] + 0.001*g*g
					rate := lr * math.Sqrt(1-math.Pow(0.999, float64(step))) / (1 - math.Pow(0.9, float64(step)))
					w.p[j] -= rate * w.m[j] / (math.Sqrt(w.v[j]) + 1e-6)
					w.p[j] -= lr * float64(o.WeightDecay[i]) * w.p[j]
				}
			}
			norm, err := o.Norm()
			if err != nil || math.Abs(norm-math.Sqrt(squares)) > 1e-5*norm {
				t.Errorf("%s: norm %v, want %v (%v)", be.Name(), norm, math.Sqrt(squares), err)
			}
			if err := o.Update(lr, scale); err != nil {
				t.Fatal(err)
			}
		}
		if err := o.Fetch(); err != nil {
			t.Fatal(err)
		}
		for i, p := range s.params {
			for j, x := range p.Data {
				if math.Abs(float64(x)-want[i].p[j]) > 2e-5 {
					t.Fatalf("%s: %s[%d] is %v, want %v", be.Name(), p.Name, j, x, want[i].p[j])
				}
			}
			ms, vs := make([]float32, len(p.Data)), make([]float32, len(p.Data))
			if err := errors.Join(o.Moments(i, 0, ms, vs), o.SetMoments(i, 0, vs, ms), o.Moments(i, 0, vs, ms)); err != nil {
				t.Fatal(err)
			}
			for j := range ms { // exchanged twice: m is in ms again
				if math.Abs(float64(ms[j])-want[i].m[j]) > 1e-5 || math.Abs(float64(vs[j])-want[i].v[j]) > 1e-5 {
					t.Fatalf("%s: moments of %s[%d] are %v, %v, want %v, %v", be.Name(), p.Name, j, ms[j], vs[j], want[i].m[j], want[i].v[j])
				}
			}
		}
		if err := o.SetMoments(0, 1, make([]float32, len(s.params[0].Data)), nil); err == nil {
			t.Error("moments of the wrong length were taken")
		}
		if _, err := NewAdamW(m, s.params[1:], grads.Of); err == nil {
			t.Error("more gradients than parameters were taken")
		}
		if _, err := NewAdamW(m, s.params, append(grads.Of[:len(grads.Of)-1:len(grads.Of)-1], b.loss)); err == nil {
			t.Error("a gradient of the wrong size was taken")
		}
	}
}

// A whole update of a training run allocates nothing.
func TestUpdateAllocatesNothing(t *testing.T) {
	s := newStack(t, small)
	b, m, grads := stackMachine(t, NewCPU(Float32), s)
	o, err := NewAdamW(m, s.params, grads.Of)
	if err != nil {
		t.Fatal(err)
	}
	b.fill(t, small, 1, 6, 2, 4)
	if n := testing.AllocsPerRun(20, func() {
		_, e := o.Norm()
		err = errors.Join(err, m.RunAll(), o.Accumulate(), e, o.Update(0.001, 1))
	}); n > 0 || err != nil {
		t.Errorf("%v allocations a step, %v", n, err)
	}
}

// A step whose gradients are used up as they come allocates nothing, needs less memory, and moves the parameters as one that keeps them.
func TestRunUpdates(t *testing.T) {
	kept, passing := newStack(t, small), newStack(t, small)
	b, m, grads := stackMachine(t, NewCPU(Float32), kept)
	o, err := NewAdamW(m, kept.params, grads.Of)
	if err != nil {
		t.Fatal(err)
	}
	c := passing.graph()
	ds, err := Backward(c.loss, passing.params...)
	if err != nil {
		t.Fatal(err)
	}
	n, err := NewMachineFor(NewCPU(Float32), MachineOptions{Changing: true, Loss: c.loss, Params: passing.params, Grads: ds.Of}, c.loss)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewAdamW(n, passing.params, ds.Of)
	if err != nil {
		t.Fatal(err)
	}
	if n.Plan().Arena >= m.Plan().Arena {
		t.Errorf("%d numbers, keeping all gradients takes %d", n.Plan().Arena, m.Plan().Arena)
	}
	if k := kinds(n)["CrossEntropyGrad"]; k != 2 {
		t.Errorf("the loss has %d gradients, want the embeddings' apart, when it is used", k)
	}
	b.fill(t, small, 1, 6, 2, 4)
	c.fill(t, small, 1, 6, 2, 4)
	ctx := t.Context()
	for _, o := range []*AdamW{o, p} {
		if n := testing.AllocsPerRun(20, func() { err = errors.Join(err, o.Run(ctx, 0.001, nil)) }); n > 0 || err != nil {
			t.Errorf("%v allocations a step, %v", n, err)
		}
	}
	for i, want := range kept.params {
		for j, x := range passing.params[i].Data {
			if x != want.Data[j] {
				t.Fatalf("%s: number %d is %v, want %v", want.Name, j, x, want.Data[j])
			}
		}
	}
}
