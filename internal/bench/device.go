package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/clipcap-go/clipcap/nn"
)

// together is how many calls of one kernel are queued before they are waited for, so that neither handing them over nor
// waiting is what is measured.
const together = 20

// matrix is room for numbers of no matter on a backend.
func matrix(be nn.Backend, rows, cols int) (nn.Tensor, error) {
	b, err := be.Alloc(nn.Float, rows*cols)
	if err != nil {
		return nn.Tensor{}, err
	}
	const piece = 1 << 20
	x := make([]float32, min(piece, rows*cols))
	for i := range x {
		x[i] = float32((i*7919)%1009)/1009 - 0.5
	}
	for at := 0; at < rows*cols; at += piece {
		if err := be.Write(b, at, x[:min(piece, rows*cols-at)]); err != nil {
			return nn.Tensor{}, err
		}
	}
	return nn.Tensor{Buf: b, Rows: rows, Cols: cols, Stride: cols}, nil
}

// matrices makes one for each pair of sizes, or none.
func matrices(be nn.Backend, sizes ...[2]int) (ts []nn.Tensor, free func(), err error) {
	free = func() {
		for _, t := range ts {
			be.Free(t.Buf)
		}
	}
	for _, s := range sizes {
		t, err := matrix(be, s[0], s[1])
		if err != nil {
			free()
			return nil, nil, err
		}
		ts = append(ts, t)
	}
	return ts, free, nil
}

// repeatOn times a kernel that a backend queues, a number of calls at a time; result is read at their end.
func repeatOn(be nn.Backend, seconds float64, result nn.Tensor, f func() error) (response, error) {
	turn := func() error {
		if err := be.Begin(context.Background()); err != nil {
			return err
		}
		var err error
		for i := 0; i < together && err == nil; i++ {
			err = f()
		}
		if e := be.End(); err == nil {
			err = e
		}
		if err != nil {
			return err
		}
		var one [1]float64
		return be.Read(one[:], result.Buf, 0)
	}
	for range 4 { // until the sequence is a graph
		if err := turn(); err != nil {
			return response{}, err
		}
	}
	var each []float64
	for start := time.Now(); len(each) < 3 || time.Since(start).Seconds() < min(seconds, 10); {
		t := time.Now()
		if err := turn(); err != nil {
			return response{}, err
		}
		each = append(each, time.Since(t).Seconds()/together)
	}
	slices.Sort(each)
	return response{Best: each[0], Median: each[len(each)/2]}, nil
}

// productOn times the product on the device.
func (q request) productOn() (response, error) {
	p, err := nn.ParsePrecision(q.Precision)
	if err != nil {
		return response{}, err
	}
	be, err := device.Open(p)
	if err != nil {
		return response{}, err
	}
	a, b := [2]int{q.M, q.K}, [2]int{q.K, q.N}
	switch q.Layout {
	case "nn":
	case "nt":
		b = [2]int{q.N, q.K}
	case "tn":
		a = [2]int{q.K, q.M}
	default:
		return response{}, fmt.Errorf("layout %q: want nn, nt or tn", q.Layout)
	}
	ts, free, err := matrices(be, [2]int{q.M, q.N}, a, b)
	if err != nil {
		return response{}, err
	}
	defer free()
	return repeatOn(be, q.Seconds, ts[0], func() error {
		return be.Gemm(ts[0], ts[1], q.Layout == "tn", nn.Operand{Tensor: ts[2]}, q.Layout == "nt", nil)
	})
}

// attending asks for attention to be timed: Sequences of Length rows, Heads of Dim numbers; forward, or with Backward its
// gradient alone.
type attending struct {
	Sequences, Length, Heads, Dim int
	Causal, Backward              bool
	Precision                     string
}

func (q *attending) time(seconds float64) (response, error) {
	rows, cols := q.Sequences*q.Length, q.Heads*q.Dim
	if q.Sequences < 1 || q.Length < 1 || q.Heads < 1 || q.Dim < 1 || rows > most/cols {
		return response{}, fmt.Errorf("attention %+v: want sizes of at least 1 and matrices of at most %d elements", *q, most)
	}
	p, err := nn.ParsePrecision(q.Precision)
	if err != nil {
		return response{}, err
	}
	be, err := device.Open(p)
	if err != nil {
		return response{}, err
	}
	size := [2]int{rows, cols}
	ts, free, err := matrices(be, size, size, size, size, size, size, size, size, [2]int{rows, q.Heads})
	if err != nil {
		return response{}, err
	}
	defer free()
	starts := make([]int32, q.Sequences+1)
	for i := range starts {
		starts[i] = int32(i * q.Length)
	}
	at, err := be.Alloc(nn.Int32, len(starts))
	if err != nil {
		return response{}, err
	}
	defer be.Free(at)
	if err := be.WriteInts(at, 0, starts); err != nil {
		return response{}, err
	}
	s := nn.Tensor{Buf: at, Rows: 1, Cols: len(starts), Stride: len(starts)}
	a := &nn.AttentionArgs{Q: ts[0], K: ts[1], V: ts[2], Out: ts[3], LSE: ts[8], QStarts: s, KStarts: s, Heads: q.Heads, Scale: 0.125, Causal: q.Causal,
		DOut: ts[4], DQ: ts[5], DK: ts[6], DV: ts[7]}
	if err := be.Attention(a); err != nil {
		return response{}, err
	}
	if q.Backward {
		return repeatOn(be, seconds, ts[5], func() error { return be.AttentionGrad(a) })
	}
	return repeatOn(be, seconds, ts[3], func() error { return be.Attention(a) })
}
