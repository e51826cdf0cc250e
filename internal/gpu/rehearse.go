package gpu

import (
	"fmt"
	"maps"
)

// noRoom is the error of an allocation that failed.
func (d *Device) noRoom(bytes int, err error) error {
	free := ""
	if n, e := d.driver.Room(); e == nil {
		free = fmt.Sprintf(", %s are free", Bytes(n))
	}
	return fmt.Errorf("%s: %s wanted, %s of %s are in use by this program%s: %w",
		d.info.Name, Bytes(int64(bytes)), Bytes(d.used), Bytes(d.info.Memory), free, err)
}

// Bytes is a size for people.
func Bytes(n int64) string {
	if n < 10<<20 {
		return fmt.Sprintf("%d KiB", (n+1<<10-1)>>10)
	}
	return fmt.Sprintf("%d MiB", (n+1<<20-1)>>20)
}

// Used is the memory that this device has allocated, bytes.
func (d *Device) Used() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.used
}

// Room is the memory that is free, bytes.
func (d *Device) Room() (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.driver.Room()
}

// Rehearse is a device of the same kind that computes nothing: it tells whether something would find room. It has so
// much memory, bytes, beside what d has allocated, of which held is counted in the room again.
func (d *Device) Rehearse(room, held int64) *Device {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := &ledger{info: d.info, room: room, live: map[Ptr]int{}}
	for _, s := range d.scratch {
		l.live[s.ptr] = s.bytes
	}
	return &Device{driver: l, info: d.info, blas: d.blas, always: d.always, used: d.used - held, scratch: maps.Clone(d.scratch), graphs: map[uint64]*captured{}, seed: d.seed}
}

// ledger is a Driver that keeps account of memory and does nothing else.
type ledger struct {
	info Info
	room int64
	live map[Ptr]int
	next Ptr
}

func (l *ledger) Info() Info           { return l.info }
func (l *ledger) Room() (int64, error) { return l.room, nil }
func (l *ledger) Load(string) error    { return nil }

func (l *ledger) Alloc(bytes int) (Ptr, error) {
	if int64(bytes) > l.room {
		return 0, ErrMemory
	}
	l.room -= int64(bytes)
	l.next += 1 << 40
	l.live[l.next] = bytes
	return l.next, nil
}

func (l *ledger) Free(p Ptr) error {
	l.room += int64(l.live[p])
	delete(l.live, p)
	return nil
}

func (l *ledger) Upload(Ptr, []byte) error        { return nil }
func (l *ledger) Download([]byte, Ptr) error      { return nil }
func (l *ledger) Clear(Ptr, int) error            { return nil }
func (l *ledger) Launch(*Launch) error            { return nil }
func (l *ledger) Capture([]Launch) (Graph, error) { return nil, nil }
func (l *ledger) Replay(Graph) error              { return nil }
func (l *ledger) Drop(Graph)                      {}
func (l *ledger) Sync() error                     { return nil }
func (l *ledger) Close() error                    { return nil }
