package gpu

// overElements runs a kernel with one thread for each of n elements.
func (d *Device) overElements(kernel string, n int, args ...any) {
	if n > 0 {
		d.run(kernel, line(up(n, 256)), line(256), 0, args...)
	}
}

// Activate is dst = act(x); either may be in bfloat16.
func (d *Device) Activate(dst, x Matrix, act Activation) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.activate(dst, x, act)
}

func (d *Device) activate(dst, x Matrix, act Activation) {
	kind := int(act)
	if dst.inHalf() {
		kind |= halfResult
	}
	if x.inHalf() {
		kind |= halfPre
	}
	d.overElements("activate", x.size(), dst.at(), x.at(), x.size(), kind)
}

// ActivateGrad is dx = dy·act'(x).
func (d *Device) ActivateGrad(dx, dy, x Matrix, act Activation) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.overElements("activate_grad", x.size(), dx.Ptr, dy.Ptr, x.Ptr, x.size(), int(act))
}

// Add is dst = a + b.
func (d *Device) Add(dst, a, b Matrix) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.overElements("add", a.size(), dst.Ptr, a.Ptr, b.Ptr, a.size())
}

// Scale is dst = x·s with s one number on the device.
func (d *Device) Scale(dst, x, s Matrix) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.overElements("scale", x.size(), dst.Ptr, x.Ptr, s.Ptr, x.size())
}

// Zero clears a matrix.
func (d *Device) Zero(m Matrix) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.zero(m)
}

func (d *Device) zero(m Matrix) {
	if m.size() > 0 {
		d.run("zero_rows", [3]int{up(m.Cols, 256), min(m.Rows, 65535), 1}, line(256), 0, m.Ptr, m.Rows, m.Cols, m.Stride)
	}
}

// Mask is dropout: a share P of elements goes, which ones depends on State, four int32 on the device holding seed and
// step, and on Site.
type Mask struct {
	P     float32
	State Ptr
	Site  uint32
}

// args are what kernels take: the threshold of the generator, and 1/(1-p), 0 for no dropout.
func (m Mask) args() []any {
	if m.P <= 0 {
		return []any{Ptr(0), uint32(0), uint32(0), float32(0)}
	}
	return []any{m.State, m.Site, uint32(float64(m.P) * (1 << 32)), 1 / (1 - m.P)}
}

// Dropout is dst = x·mask/(1-p).
func (d *Device) Dropout(dst, x Matrix, m Mask) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.overElements("dropout", x.size(), append([]any{dst.Ptr, x.Ptr, x.size()}, m.args()...)...)
}
