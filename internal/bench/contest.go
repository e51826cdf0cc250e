package main

import (
	"slices"
	"time"
)

// row is one line of the table, its buffers not made yet.
type row struct {
	kernel, shape string
	prepare       func() contest
}

// contest is a kernel and the limit it is held against: of two, the one that is slower on this machine.
type contest struct {
	unit        string  // what a billion operations or bytes a second are called
	work        float64 // operations or bytes of one call of run
	run         func()
	limit, also limit // also may be empty
}

// limit is something the machine cannot do faster (vectorOps says when it can); run does it once and returns how much it did,
// in the unit of the contest.
type limit struct {
	name string
	run  func() float64
}

// measure runs the kernel and its limits in turns until the budget is used up, and returns the best
// rate of the kernel and of the slower limit, per second, and which that was. The first turn of each is
// warm-up.
func (c contest) measure(budget time.Duration) (ours, rival float64, name string) {
	const turn = 5 * time.Millisecond // long enough that what fits a cache is there again after the others' turns
	kernel := func() float64 { c.run(); return c.work }
	limits := []limit{c.limit}
	if c.also.run != nil {
		limits = append(limits, c.also)
	}
	best(kernel, 0)
	tops := make([]float64, len(limits))
	for start := time.Now(); ; {
		ours = max(ours, best(kernel, turn))
		for i, l := range limits {
			tops[i] = max(tops[i], best(l.run, turn))
		}
		if time.Since(start) > budget {
			slowest := slices.Index(tops, slices.Min(tops))
			return ours, tops[slowest], limits[slowest].name
		}
	}
}

// best calls f until least has passed, at least once, and returns the work done per second in the best call,
// or where calls are short in the best few: on a machine with other load some calls are left alone.
func best(f func() float64, least time.Duration) float64 {
	const few = 30 * time.Microsecond // so long that the clock does not count
	top := 0.0
	for start := time.Now(); ; {
		top = max(top, rate(f, few))
		if time.Since(start) >= least {
			return top
		}
	}
}

// rate calls f until least has passed, at least once, and returns the work done per second.
func rate(f func() float64, least time.Duration) float64 {
	work, start := 0.0, time.Now()
	for {
		work += f()
		if t := time.Since(start); t >= least && t > 0 {
			return work / t.Seconds()
		}
	}
}
