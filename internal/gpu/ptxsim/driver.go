package ptxsim

import (
	"fmt"

	"github.com/clipcap-go/clipcap/internal/gpu"
)

// Driver is a simulated device as a gpu.Driver.
type Driver struct {
	Device *Device
	module *Module
}

var _ gpu.BlasDriver = (*Driver)(nil)

// NewDriver is a device with so many bytes of memory.
func NewDriver(bytes int) *Driver { return &Driver{Device: NewDevice(bytes)} }

// Info describes the simulated device.
func (d *Driver) Info() gpu.Info {
	return gpu.Info{Name: "simulated GPU", Memory: int64(d.Device.mem.limit), Shared: 227 << 10, Compute: 80}
}

// Room is what is free.
func (d *Driver) Room() (int64, error) { return int64(d.Device.mem.limit - d.Device.mem.used), nil }

// parsed keeps modules by their text, since parsing one takes a while.
var parsed cache

// Load parses a module.
func (d *Driver) Load(ptx string) (err error) {
	d.module, err = parsed.get(ptx)
	return err
}

// Alloc gives memory that counts as never written.
func (d *Driver) Alloc(bytes int) (gpu.Ptr, error) {
	p, err := d.Device.Alloc(bytes)
	if err != nil {
		err = fmt.Errorf("%w: %w", gpu.ErrMemory, err)
	}
	return gpu.Ptr(p), err
}

// Free takes memory back.
func (d *Driver) Free(p gpu.Ptr) error { return d.Device.Free(uint64(p)) }

// Upload copies to the device.
func (d *Driver) Upload(dst gpu.Ptr, src []byte) error { return d.Device.Write(uint64(dst), src) }

// Download copies from the device.
func (d *Driver) Download(dst []byte, src gpu.Ptr) error { return d.Device.Read(dst, uint64(src)) }

// Clear sets memory to zero.
func (d *Driver) Clear(dst gpu.Ptr, bytes int) error { return d.Device.Clear(uint64(dst), bytes) }

// Launch runs a kernel to its end.
func (d *Driver) Launch(l *gpu.Launch) error {
	if l.Kernel == gpu.BlasKernel {
		return d.multiply(l)
	}
	k := d.module.Kernels[l.Kernel]
	if k == nil {
		return fmt.Errorf("no kernel %s", l.Kernel)
	}
	return d.Device.Launch(k, Dim(l.Grid), Dim(l.Block), l.Shared, l.Args)
}

// Capture keeps the launches, which belong to the caller no longer.
func (d *Driver) Capture(ls []gpu.Launch) (gpu.Graph, error) { return ls, nil }

// Replay runs captured launches.
func (d *Driver) Replay(g gpu.Graph) error {
	for _, l := range g.([]gpu.Launch) {
		if err := d.Launch(&l); err != nil {
			return err
		}
	}
	return nil
}

// Drop does nothing.
func (d *Driver) Drop(gpu.Graph) {}

// Sync does nothing: launches are over when they return.
func (d *Driver) Sync() error { return nil }

// Close does nothing.
func (d *Driver) Close() error { return nil }
