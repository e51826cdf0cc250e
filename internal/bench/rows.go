package main

import "fmt"

// rows are all the lines of the table, in its order.
func rows() []row {
	var all []row
	all = append(all, limitRows()...)
	all = append(all, productRows()...)
	all = append(all, streamedRows()...)
	all = append(all, attentionRows()...)
	all = append(all, convRows()...)
	all = append(all, elementRows()...)
	return all
}

// limitRows print the machine's limits themselves, each against itself: a ratio far from 1 says how
// much the machine is disturbed.
func limitRows() []row {
	var all []row
	for _, l := range []struct {
		shape, unit string
		make        func() limit
	}{
		{"float32", "GFLOP/s", fmaPeak},
		{"bfloat16", "GFLOP/s", dotPeak},
		{"256 MiB", "GB/s", readMemory},
	} {
		all = append(all, row{"limit", l.shape, func() contest {
			x := l.make()
			work := x.run()
			return contest{unit: l.unit, work: work, run: func() { x.run() }, limit: x}
		}})
	}
	return all
}

func dims(sizes ...int) string {
	s := fmt.Sprint(sizes[0])
	for _, n := range sizes[1:] {
		s += fmt.Sprintf("x%d", n)
	}
	return s
}
