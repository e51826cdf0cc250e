package gpu

import (
	"fmt"
	"math"
	"slices"
)

// Update is one parameter of an AdamW step: itself, its moments and its gradient, n numbers each.
type Update struct {
	P, M, V, G  Ptr
	N           int
	WeightDecay float32
}

// AdamW are the constants of a step; package kernel has the formula.
type AdamW struct {
	LR, Beta1, Beta2, Eps float32
	Step                  int     // from 1
	Scale                 float32 // multiplies the gradients first
}

const (
	updateWords = 6    // of a parameter in the table
	updateChunk = 1024 // numbers a block works on
)

// tables are the lists a launch over many parameters reads, kept on the device while they stay the same.
type tables struct {
	words  []uint64
	chunks int
	at, ck Ptr
}

// prepare brings the tables of all parameters to the device.
func (d *Device) prepare(us []Update) (*tables, error) {
	var words []uint64
	for _, u := range us {
		words = append(words, uint64(u.P), uint64(u.M), uint64(u.V), uint64(u.G), uint64(u.N), uint64(math.Float32bits(u.WeightDecay)))
	}
	for _, t := range d.tables {
		if slices.Equal(t.words, words) {
			return t, nil
		}
	}
	t := &tables{words: words}
	var chunks []int32
	for i, u := range us {
		for c := range up(u.N, updateChunk) {
			chunks = append(chunks, int32(i), int32(c))
		}
	}
	t.chunks = len(chunks) / 2
	if t.chunks == 0 {
		return t, nil
	}
	if err := d.flush(); err != nil {
		return nil, err
	}
	if len(d.tables) == tablesMost {
		if err := d.dropTables(); err != nil {
			return nil, err
		}
	}
	var err error
	if t.at, err = d.alloc(8 * len(words)); err != nil {
		return nil, err
	}
	if t.ck, err = d.alloc(4 * len(chunks)); err != nil {
		return nil, err
	}
	d.tables = append(d.tables, t)
	if err := d.driver.Upload(t.at, bytesOf(words)); err != nil {
		return nil, fmt.Errorf("table of %d parameters: %w", len(us), err)
	}
	return t, d.driver.Upload(t.ck, bytesOf(chunks))
}

const tablesMost = 8

func (d *Device) dropTables() (err error) {
	for _, t := range d.tables {
		for _, p := range [...]Ptr{t.at, t.ck} {
			if e := d.driver.Free(p); err == nil {
				err = e
			}
		}
		d.used -= int64(8*len(t.words) + 8*t.chunks)
	}
	d.tables = nil
	return err
}

// AdamW updates all parameters in one launch.
func (d *Device) AdamW(us []Update, a *AdamW) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, err := d.prepare(us)
	if err != nil || t.chunks == 0 {
		return err
	}
	b1, b2, n := float64(a.Beta1), float64(a.Beta2), float64(a.Step)
	rate := float64(a.LR) * math.Sqrt(1-math.Pow(b2, n)) / (1 - math.Pow(b1, n))
	d.run("adamw", line(t.chunks), line(256), 0, t.at, t.ck, a.Scale, a.Beta1, float32(1-b1), a.Beta2, float32(1-b2), a.Eps, float32(rate), a.LR)
	return nil
}

// SumSquares is Σ g² over all gradients; it waits for the result.
func (d *Device) SumSquares(us []Update) (float64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	t, err := d.prepare(us)
	if err != nil || t.chunks == 0 {
		return 0, err
	}
	tmp, err := d.temporary("squares", 4*(t.chunks+1))
	if err != nil {
		return 0, err
	}
	d.run("sum_squares", line(t.chunks), line(256), 0, tmp+4, t.at, t.ck)
	d.run("sum_all", line(1), line(256), 0, tmp, tmp+4, t.chunks)
	if err := d.flush(); err != nil {
		return 0, err
	}
	var s [1]float32
	err = d.driver.Download(bytesOf(s[:]), tmp)
	return float64(s[0]), err
}
