package ptxsim

import (
	"fmt"
	"math/bits"
)

// Device is a simulated GPU.
type Device struct {
	mem    memory
	launch uint64
	// Reverse runs the blocks of a grid from the last to the first.
	Reverse bool
	// Instructions counts what warps executed.
	Instructions int64
	// Banks, where it is not nil, counts the passes that accesses to shared memory take, by kernel and instruction.
	Banks Banks
}

// NewDevice is a device with so many bytes of memory.
func NewDevice(bytes int) *Device { return &Device{mem: memory{limit: bytes}} }

// Alloc gives n bytes, which count as never written.
func (d *Device) Alloc(n int) (uint64, error) { return d.mem.alloc(n) }

// Free takes an allocation back.
func (d *Device) Free(at uint64) error { return d.mem.free(at) }

// Used is the number of bytes allocated.
func (d *Device) Used() int { return d.mem.used }

// Write copies to the device.
func (d *Device) Write(at uint64, src []byte) error {
	a, off, err := d.mem.find(at, len(src))
	if err != nil {
		return err
	}
	copy(a.data[off:], src)
	for i := off / 2; i < (off+len(src)+1)/2; i++ {
		a.known[i] = true
	}
	return nil
}

// Clear sets n bytes to zero.
func (d *Device) Clear(at uint64, n int) error { return d.Write(at, make([]byte, n)) }

// Read copies from the device.
func (d *Device) Read(dst []byte, at uint64) error {
	a, off, err := d.mem.find(at, len(dst))
	if err != nil {
		return err
	}
	copy(dst, a.data[off:])
	return nil
}

// Dim is the extent of a grid or a block.
type Dim [3]int

func (d Dim) count() int { return d[0] * d[1] * d[2] }

// block is one running block.
type block struct {
	dev      *Device
	k        *Kernel
	grid     Dim
	at       Dim
	dim      Dim
	number   int
	args     []uint64
	shared   []byte
	words    []word
	barriers int32
	warps    []*warp
}

// group is lanes of a warp that are at the same instruction.
type group struct {
	pc    int
	lanes uint32
}

// warp is 32 threads.
type warp struct {
	block   *block
	first   int // number of its first thread
	regs    [][32]uint64
	groups  []group // no two at one instruction
	live    uint32
	waiting bool // at the block's barrier
	syncs   int32
	copies  []asyncCopy
	commits [32]int
	err     error
}

// fault ends the run with the first error.
func (w *warp) fault(lane int, err error) {
	if w.err == nil {
		w.err = fmt.Errorf("thread %d of block %v: %w", w.first+lane, w.block.at, err)
	}
}

// Launch runs a kernel to its end. Every argument is given as 8 bytes, of which the kernel takes what it declares.
func (d *Device) Launch(k *Kernel, grid, dim Dim, dynamic int, args []uint64) error {
	if len(args) != len(k.Params) {
		return fmt.Errorf("%s: %d arguments, want %d", k.Name, len(args), len(k.Params))
	}
	threads := dim.count()
	switch {
	case threads%32 != 0 || threads == 0 || threads > 1024:
		return fmt.Errorf("%s: block of %d threads", k.Name, threads)
	case k.MaxThreads != 0 && threads > k.MaxThreads:
		return fmt.Errorf("%s: block of %d threads, compiled for %d", k.Name, threads, k.MaxThreads)
	case grid[0] < 1 || grid[1] < 1 || grid[2] < 1 || grid[1] > 65535 || grid[2] > 65535 || grid[0] > 1<<31-1:
		return fmt.Errorf("%s: grid %v", k.Name, grid)
	case k.static+dynamic > 227<<10:
		return fmt.Errorf("%s: %d bytes of shared memory", k.Name, k.static+dynamic)
	}
	d.launch++
	b := &block{dev: d, k: k, grid: grid, dim: dim, args: args,
		shared: make([]byte, k.static+dynamic), words: make([]word, (k.static+dynamic+3)/4)}
	for i := range threads / 32 {
		w := &warp{block: b, first: 32 * i, regs: make([][32]uint64, len(k.regs)+len(k.consts))}
		for c, v := range k.consts {
			for l := range 32 {
				w.regs[len(k.regs)+c][l] = v
			}
		}
		b.warps = append(b.warps, w)
	}
	n := grid.count()
	for i := range n {
		b.number = i
		if d.Reverse {
			b.number = n - 1 - i
		}
		b.at = Dim{b.number % grid[0], b.number / grid[0] % grid[1], b.number / grid[0] / grid[1]}
		if err := b.run(); err != nil {
			return fmt.Errorf("%s: %w", k.Name, err)
		}
	}
	return nil
}

func (b *block) run() error {
	clear(b.words)
	for i := range b.words {
		b.words[i].reader, b.words[i].writer = -1, -1
	}
	b.barriers = 0
	for _, w := range b.warps {
		w.groups = append(w.groups[:0], group{0, ^uint32(0)})
		w.live, w.waiting, w.syncs, w.copies, w.commits = ^uint32(0), false, 0, w.copies[:0], [32]int{}
		for r := range len(b.k.regs) {
			w.regs[r] = [32]uint64{}
		}
	}
	for {
		running := false
		for _, w := range b.warps {
			if w.live == 0 || w.waiting {
				continue
			}
			running = true
			w.run()
			if w.err != nil {
				return w.err
			}
		}
		if running {
			continue
		}
		released := false
		for _, w := range b.warps {
			if w.waiting {
				w.waiting, released = false, true
				w.syncs++
			}
		}
		if !released {
			return nil
		}
		b.barriers++
	}
}

// run executes until the warp waits or ends. The group that is furthest behind goes first, so that lanes that parted
// meet again; lanes at an instruction for the whole warp let the others come.
func (w *warp) run() {
	code := w.block.k.code
	for w.live != 0 {
		at := -1
		for i, g := range w.groups {
			if !(code[g.pc].together() && g.lanes != w.live) && (at < 0 || g.pc < w.groups[at].pc) {
				at = i
			}
		}
		if at < 0 {
			g := w.groups[0]
			w.fault(bits.TrailingZeros32(g.lanes), fmt.Errorf("lanes %#x wait at %q for lanes %#x, which are elsewhere", g.lanes, code[g.pc].text, w.live&^g.lanes))
			return
		}
		limit := len(code) + 1 // where another group stands
		for _, g := range w.groups {
			if g.pc > w.groups[at].pc && g.pc < limit {
				limit = g.pc
			}
		}
		w.stretch(at, limit)
		if w.err != nil || w.waiting {
			return
		}
		w.merge()
	}
}

// together tells whether all lanes of a warp execute the instruction as one.
func (in *instr) together() bool { return in.kind == warpOp || in.kind == blockOp }

// stretch runs a group up to another group's place, to where lanes part, or to where the others must come first.
func (w *warp) stretch(at, limit int) {
	code := w.block.k.code
	g := &w.groups[at]
	for g.pc < limit && g.lanes != 0 {
		in := &code[g.pc]
		if in.together() && g.lanes != w.live {
			return
		}
		w.block.dev.Instructions++
		lanes := g.lanes
		if in.pred >= 0 {
			lanes = w.predicate(in, lanes)
		}
		switch in.kind {
		case branch:
			if lanes == g.lanes {
				g.pc = in.target
				if len(w.groups) > 1 {
					return
				}
				continue
			}
			if lanes != 0 {
				g.lanes &^= lanes
				g.pc++
				w.groups = append(w.groups, group{in.target, lanes})
				return
			}
		case exit:
			for _, c := range w.copies {
				if lanes>>c.lane&1 != 0 {
					w.fault(c.lane, fmt.Errorf("ends while a copy to shared memory at %d is under way", c.dst))
				}
			}
			w.live &^= lanes
			g.lanes &^= lanes
			if w.err != nil {
				return
			}
		case blockOp:
			g.pc++
			w.waiting = true
			return
		default:
			if lanes != 0 {
				in.exec(w, lanes)
			}
			if w.err != nil {
				w.err = fmt.Errorf("%q: %w", in.text, w.err)
				return
			}
		}
		g.pc++
	}
}

// predicate is those of lanes for which an instruction's predicate holds.
func (w *warp) predicate(in *instr, lanes uint32) uint32 {
	var m uint32
	for rest := lanes; rest != 0; rest &= rest - 1 {
		l := bits.TrailingZeros32(rest)
		if (w.regs[in.pred][l] != 0) != in.negate {
			m |= 1 << l
		}
	}
	return m
}

// merge joins groups that have met and drops empty ones.
func (w *warp) merge() {
	out := w.groups[:0]
next:
	for _, g := range w.groups {
		if g.lanes == 0 {
			continue
		}
		for i := range out {
			if out[i].pc == g.pc {
				out[i].lanes |= g.lanes
				continue next
			}
		}
		out = append(out, g)
	}
	w.groups = out
}
