package weights

import (
	"archive/zip"
	"io"
	"slices"
	"strings"
	"testing"
)

// zipOf is an archive of torch.save around a pickle, with one storage of the numbers 1 to 6.
func zipOf(t *testing.T, p pickled) []byte {
	t.Helper()
	var b strings.Builder
	out := &counter{w: &b}
	a := &torchWriter{out: out, zip: zip.NewWriter(out)}
	for name, data := range map[string][]byte{"data.pkl": p, "data/0": {1, 2, 3, 4, 5, 6}} {
		if err := a.record(name, func(w io.Writer) error { _, err := w.Write(data); return err }); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.zip.Close(); err != nil {
		t.Fatal(err)
	}
	return []byte(b.String())
}

// TestWhatTrainersLeave: parameters and buffers in PyTorch's spellings, and beside them what says nothing about numbers.
func TestWhatTrainersLeave(t *testing.T) {
	tensor := func(p *pickled) { p.tensor(Item{DType: U8, Shape: []int{2, 3}}, 0) }
	call := func(module, name string, args func(p *pickled)) func(p *pickled) {
		return func(p *pickled) {
			p.global(module, name)
			p.op(opMark)
			args(p)
			p.op(opTuple, opReduce)
		}
	}
	for what, c := range map[string]struct {
		value  func(p *pickled)
		tensor bool
		refuse string
	}{
		"a parameter":             {call("torch._utils", "_rebuild_parameter", func(p *pickled) { tensor(p); p.op(opNewTrue); p.orderedDict() }), true, ""},
		"a parameter with state":  {call("torch._utils", "_rebuild_parameter_with_state", func(p *pickled) { tensor(p); p.op(opNewTrue); p.orderedDict(); p.op(opEmptyDict) }), true, ""},
		"a device":                {call("torch", "device", func(p *pickled) { p.text("cpu") }), false, ""},
		"a type":                  {func(p *pickled) { p.global("torch", "float16") }, false, ""},
		"a counter":               {call("collections", "Counter", func(p *pickled) { p.op(opEmptyDict, opMark); p.text("a"); p.op(opBinInt1, 2, opSetItems) }), false, ""},
		"a scalar of numpy's":     {call("numpy.core.multiarray", "scalar", func(p *pickled) { p.global("numpy", "dtype"); p.op(opShortBinBytes, 1, 7) }), false, ""},
		"a buffer":                {call("torch._tensor", "_rebuild_from_type_v2", func(p *pickled) { subclass(p, "torch._utils", "_rebuild_tensor_v2", 0) }), true, ""},
		"a buffer that runs code": {call("torch._tensor", "_rebuild_from_type_v2", func(p *pickled) { subclass(p, "os", "system", 0) }), false, `"os.system"`},
		"a buffer of two":         {call("torch._tensor", "_rebuild_from_type_v2", func(p *pickled) { subclass(p, "collections", "OrderedDict", 0) }), false, "collections.OrderedDict"},
		"a function of torch's":   {func(p *pickled) { p.global("torch", "load") }, false, `"torch.load"`},
		"a type that is called":   {call("torch", "float16", func(*pickled) {}), false, ""},
	} {
		p := pickled{opProto, 2, opEmptyDict, opMark}
		p.text("x")
		c.value(&p)
		p.op(opSetItems, opStop)
		s, err := openBytes("x.pt", zipOf(t, p))
		if c.refuse != "" {
			if err == nil || !strings.Contains(err.Error(), c.refuse) {
				t.Errorf("%s: %v, want an error with %s", what, err, c.refuse)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if (s.Tensor("x") != nil) != c.tensor {
			t.Errorf("%s: tensor %v", what, s.Tensor("x"))
		}
		if c.tensor {
			if f, err := s.Tensor("x").Float32s(); err != nil || !slices.Equal(f, []float32{1, 2, 3, 4, 5, 6}) {
				t.Errorf("%s: %v, %v", what, f, err)
			}
		}
	}
}

// subclass pushes the four arguments of _rebuild_from_type_v2.
func subclass(p *pickled, module, name string, key int) {
	p.global(module, name)
	p.global("torch.nn.parameter", "Buffer")
	whole := pickled{}
	whole.tensor(Item{DType: U8, Shape: []int{2, 3}}, key)
	// tensor pushes the function, its arguments and the call: only the arguments are wanted here.
	from := len("ctorch._utils\n_rebuild_tensor_v2\n")
	*p = append(*p, whole[from:len(whole)-1]...)
	p.op(opEmptyDict)
}
