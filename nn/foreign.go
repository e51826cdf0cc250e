package nn

import (
	"fmt"
	"sync"

	G "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// host is the backend of operations that a foreign machine runs one by one: the CPU in float32.
var host = sync.OnceValue(func() Backend { return NewCPU(Float32) })

// Do computes the operation for a machine that is not ours, such as Gorgonia's TapeMachine, on the CPU in
// float32. Values may be ours, dense tensors or scalars; the result belongs to the operation and is
// overwritten by the next Do.
func (o *Op) Do(values ...G.Value) (G.Value, error) {
	be := host()
	in := make([]*Value, len(values))
	for i, v := range values {
		var err error
		if in[i], err = hostValue(be, v); err != nil {
			return nil, fmt.Errorf("%s: input %d: %w", o, i, err)
		}
	}
	if o.own == nil {
		own := make([]*Value, len(o.results))
		for i, r := range o.results {
			if !o.wanted[i] {
				continue
			}
			own[i] = newValue(Float, r.shape)
			own[i].backend = be
			if !o.alias {
				var err error
				if own[i].mem.Buf, err = be.Alloc(Float, max(1, r.shape.TotalSize())); err != nil {
					return nil, fmt.Errorf("%s: %w", o, err)
				}
			}
		}
		own[0].outs = own[1:]
		o.own = own
	}
	if err := o.invoke(be, in, o.own); err != nil {
		return nil, fmt.Errorf("%s: %w", o, err)
	}
	return o.own[0], nil
}

// hostValue is v in the memory of be.
func hostValue(be Backend, v G.Value) (*Value, error) {
	if own, ok := v.(*Value); ok {
		if own.param == nil && own.input == nil && own.state == nil {
			return own, nil
		}
		l, err := newLeaf(be, own)
		if err != nil {
			return nil, err
		}
		return &l.at, l.bind(be)
	}
	w := newValue(Float, v.Shape())
	w.mem.Rows, w.backend = rowsOf(v.Shape()), be
	var floats []float32
	switch d := v.Data().(type) {
	case []float32:
		floats = d
	case float32:
		floats = []float32{d}
	default:
		return nil, fmt.Errorf("got %T holding %T, want float32", v, d)
	}
	if len(floats) != w.Size() {
		return nil, fmt.Errorf("%d numbers for shape %v", len(floats), v.Shape())
	}
	b, err := be.Alloc(Float, max(1, len(floats)))
	if err != nil {
		return nil, err
	}
	w.mem.Buf = b
	return w, be.Write(b, 0, floats)
}

// runForeign runs an operation of Gorgonia's own inside our machine, through copies on the host.
func runForeign(op G.Op, in []*Value, out *Value) error {
	args := make([]G.Value, len(in))
	for i, v := range in {
		data := v.Data()
		if data == nil {
			return fmt.Errorf("input %d cannot be read", i)
		}
		if len(v.shape) == 0 {
			s := G.F32(data.(float32))
			args[i] = &s
			continue
		}
		shape := v.shape.Clone()
		shape[0] = v.mem.Rows
		args[i] = tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))
	}
	res, err := op.Do(args...)
	if err != nil {
		return err
	}
	var floats []float32
	switch d := res.Data().(type) {
	case []float32:
		floats = d
	case float32:
		floats = []float32{d}
	default:
		return fmt.Errorf("result is %T, want float32", d)
	}
	if len(floats) > out.Size() {
		return fmt.Errorf("%d numbers for shape %v", len(floats), out.shape)
	}
	out.mem.Rows = len(floats) / max(1, out.cols())
	return out.backend.Write(out.mem.Buf, out.mem.Off, floats)
}
