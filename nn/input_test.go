package nn

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	G "gorgonia.org/gorgonia"
)

func TestBadInputIsAnError(t *testing.T) {
	s := newStack(t, small)
	b, m, _ := stackMachine(t, NewReference(), s)
	want := func(err error, parts ...string) {
		t.Helper()
		if err == nil {
			t.Errorf("no error, want one with %q", parts)
			return
		}
		for _, p := range parts {
			if !strings.Contains(err.Error(), p) {
				t.Errorf("error %q does not say %q", err, p)
			}
		}
	}
	want(m.RunAll(), "was not set")
	b.fill(t, small, 1, 6, 2, 4)
	want(Set(b.features, make([]float32, 6*small.feature)), "features", "6 rows", "at most 5")
	want(Set(b.features, make([]float32, 7)), "whole number of rows")
	want(Set(b.features, make([]int32, 5)), "want float32")
	want(Set(b.ids, []int32{0, 23}), "ids", "index 23", "less than 23")
	want(Set(b.seqs.Starts, []int32{0, 4, 2}), "start 2", "after 4")
	want(Set(b.seqs.Starts, []int32{1, 4}), "first must be 0")
	want(Set(b.seqs.Starts, nil), "int32")
	set(t, b.seqs.Starts, []int32{0, 4, 5, 6})
	want(m.RunAll(), "Attention", "6 rows", "21 are live")
	b.fill(t, small, 1, 6, 2, 4)
	set(t, b.targets, []int32{1})
	want(m.RunAll(), "CrossEntropy", "12", "1")
	b.fill(t, small, 1, 6, 2, 4)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := m.Run(ctx)
	want(err, "stopped before")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v does not wrap context.Canceled", err)
	}
	if err := m.RunAll(); err != nil {
		t.Errorf("a machine runs again after errors: %v", err)
	}
}

// Shapes that cannot work are a caller's bug: the panic names operation and shapes.
// TestFill holds that numbers written in place are those that Set copies, on backends that read them there and on others.
func TestFill(t *testing.T) {
	for _, be := range []Backend{NewCPU(Float32), NewReference()} {
		g := G.NewGraph()
		x, ids := NewInput(g, "x", Float, 4, 3), NewInput(g, "ids", Int32, 4)
		y := Add(x, x)
		m, err := NewMachine(be, y)
		if err != nil {
			t.Fatal(err)
		}
		for rows := 1; rows <= 4; rows++ {
			data := make([]float32, 3*rows)
			for i := range data {
				data[i] = float32(i + rows)
			}
			var got [2][]float32
			for i, set := range []func() error{
				func() error { return Set(x, data) },
				func() error { return Fill(x, rows, func(dst []float32) { copy(dst, data) }) },
			} {
				if err := set(); err != nil {
					t.Fatal(err)
				}
				if err := m.RunAll(); err != nil {
					t.Fatal(err)
				}
				if got[i], err = m.Value(y).Float32s(); err != nil {
					t.Fatal(err)
				}
			}
			if len(got[0]) != 3*rows || got[0][1] != 2*data[1] || !slices.Equal(got[0], got[1]) {
				t.Errorf("%s, %d rows: %v by Set, %v by Fill", be.Name(), rows, got[0], got[1])
			}
		}
		nothing := func([]float32) { t.Error("filled what cannot be") }
		for want, err := range map[string]error{"5 rows": Fill(x, 5, nothing), "int32": Fill(ids, 1, nothing), "not an input": Fill(y, 1, nothing)} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want an error with %q", err, want)
			}
		}
		m.Close()
	}
}
