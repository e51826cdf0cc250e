package weights

import (
	"errors"
	"fmt"
	"strings"
)

// maxNested is how deep pickles may lie in the bytes of pickles; ClipCap's features need 1.
const maxNested = 4

// storageTypes are PyTorch's typed storages.
var storageTypes = map[Global]DType{
	{"torch", "DoubleStorage"}: F64, {"torch", "FloatStorage"}: F32, {"torch", "HalfStorage"}: F16, {"torch", "BFloat16Storage"}: BF16,
	{"torch", "LongStorage"}: I64, {"torch", "IntStorage"}: I32, {"torch", "ShortStorage"}: I16, {"torch", "CharStorage"}: I8,
	{"torch", "ByteStorage"}: U8, {"torch", "BoolStorage"}: Bool,
	{"torch.storage", "UntypedStorage"}: U8, {"torch", "UntypedStorage"}: U8,
}

// function is what a global that may be called does, or nil; each builds data out of data.
func function(g Global) func(u *unpickler, args Tuple) (any, error) {
	switch g.String() {
	case "torch._utils._rebuild_tensor_v2":
		return rebuildTensor
	case "torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state":
		return rebuildParameter
	case "torch._tensor._rebuild_from_type_v2":
		return rebuildSubclass
	case "torch.storage._load_from_bytes":
		return loadFromBytes
	case "torch.Size":
		return newSize
	case "collections.OrderedDict", "collections.Counter":
		return newDict
	case "_codecs.encode":
		return encodeLatin1
	case "builtins.bytes", "__builtin__.bytes":
		return noBytes
	case "builtins.set", "__builtin__.set":
		return newSet
	case "torch.jit._pickle.build_intlist", "torch.jit._pickle.build_boollist", "torch.jit._pickle.build_doublelist":
		return firstArg
	}
	return nil
}

// records are the classes whose objects training programs leave beside their weights: options, devices, numpy's
// scalars, and the names of classes that a tensor may be of.
var records = map[Global]bool{
	{"argparse", "Namespace"}: true, {"torch", "device"}: true,
	{"torch", "Tensor"}: true, {"torch.nn.parameter", "Parameter"}: true, {"torch.nn.parameter", "Buffer"}: true,
	{"numpy", "dtype"}: true, {"numpy.core.multiarray", "scalar"}: true, {"numpy._core.multiarray", "scalar"}: true,
}

// inert tells whether objects of a class are kept as records: those above, TorchScript's modules, and the types of
// numbers, such as torch.float16.
func inert(g Global) bool {
	return records[g] || strings.HasPrefix(g.Module, "__torch__.") || g.Module == "__torch__" || g.Module == "torch" && torchTypes[g.Name]
}

// torchTypes are the names by which a pickle mentions a type of numbers itself.
var torchTypes = map[string]bool{"float64": true, "float32": true, "float16": true, "bfloat16": true,
	"int64": true, "int32": true, "int16": true, "int8": true, "uint8": true, "bool": true}

// global pushes a global that is on one of the lists.
func (u *unpickler) global(module, name string) error {
	g := Global{module, name}
	_, isStorage := storageTypes[g]
	if !isStorage && function(g) == nil && !inert(g) {
		return fmt.Errorf("global %.200q is not among those that files of tensors need: refused", g.String())
	}
	u.push(g)
	return nil
}

func (u *unpickler) call(g Global, args Tuple) (any, error) {
	if inert(g) {
		return &Record{Class: g.String(), Args: args}, nil
	}
	f := function(g)
	if f == nil {
		return nil, errors.New("cannot be called")
	}
	return f(u, args)
}

// newObject is cls.__new__(cls, *args) of an inert class.
func newObject(g Global, args Tuple) (any, error) {
	if !inert(g) {
		return nil, errors.New("has no objects here")
	}
	return &Record{Class: g.String(), Args: args}, nil
}

// rebuildTensor takes (storage, offset, size, stride, requires_grad, backward_hooks[, metadata]).
func rebuildTensor(_ *unpickler, args Tuple) (any, error) {
	if len(args) != 6 && len(args) != 7 {
		return nil, fmt.Errorf("%d arguments, want 6 or 7", len(args))
	}
	data, ok := args[0].(*storage)
	if !ok {
		return nil, fmt.Errorf("%s where a storage is wanted", KindOf(args[0]))
	}
	offset, ok := args[1].(int64)
	if !ok {
		return nil, fmt.Errorf("%s where the offset is wanted", KindOf(args[1]))
	}
	shape, err := sizes(args[2])
	if err != nil {
		return nil, fmt.Errorf("size: %w", err)
	}
	strides, err := sizes(args[3])
	if err != nil {
		return nil, fmt.Errorf("stride: %w", err)
	}
	return newTensor("", data, int(offset), shape, strides)
}

// sizes reads a tuple of integers.
func sizes(v any) ([]int, error) {
	items, ok := v.(Tuple)
	if !ok {
		return nil, fmt.Errorf("%s, want a tuple", KindOf(v))
	}
	if len(items) > maxRank {
		return nil, fmt.Errorf("%d dimensions, at most %d are read", len(items), maxRank)
	}
	out := make([]int, len(items))
	for i, item := range items {
		n, ok := item.(int64)
		if !ok {
			return nil, fmt.Errorf("%s in it, want integers", KindOf(item))
		}
		out[i] = int(n)
	}
	return out, nil
}

// rebuildParameter takes (data, requires_grad, backward_hooks[, state]).
func rebuildParameter(_ *unpickler, args Tuple) (any, error) {
	if len(args) != 3 && len(args) != 4 {
		return nil, fmt.Errorf("%d arguments, want 3 or 4", len(args))
	}
	t, ok := args[0].(*Tensor)
	if !ok {
		return nil, fmt.Errorf("%s where a tensor is wanted", KindOf(args[0]))
	}
	return t, nil
}

// rebuildSubclass takes (function, class, arguments, state): a tensor with attributes, or of a class of its own such as
// torch.nn.Buffer. The class and the attributes say nothing about the numbers.
func rebuildSubclass(u *unpickler, args Tuple) (any, error) {
	if len(args) != 4 {
		return nil, fmt.Errorf("%d arguments, want 4", len(args))
	}
	g, ok1 := args[0].(Global)
	inner, ok2 := args[2].(Tuple)
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("made by %s of %s", KindOf(args[0]), KindOf(args[2]))
	}
	switch g {
	case Global{"torch._utils", "_rebuild_tensor_v2"}:
		return rebuildTensor(u, inner)
	case Global{"torch._utils", "_rebuild_parameter"}:
		return rebuildParameter(u, inner)
	}
	return nil, fmt.Errorf("made by %s", g)
}

// loadFromBytes reads a whole file of torch.save inside a bytes object: how plain pickles hold tensors.
func loadFromBytes(u *unpickler, args Tuple) (any, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("%d arguments, want 1", len(args))
	}
	b, ok := args[0].(Bytes)
	if !ok {
		return nil, fmt.Errorf("%s where bytes are wanted", KindOf(args[0]))
	}
	if u.depth >= maxNested {
		return nil, fmt.Errorf("files nested more than %d deep", maxNested)
	}
	if err := u.spend(int(b.at.n)); err != nil {
		return nil, err
	}
	v, _, err := loadTorch(b.at, u.depth+1)
	return v, err
}

func newSize(_ *unpickler, args Tuple) (any, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("%d arguments, want 1", len(args))
	}
	switch v := args[0].(type) {
	case Tuple:
		return v, nil
	case *List:
		return Tuple(v.Items), nil
	}
	return nil, fmt.Errorf("made of %s", KindOf(args[0]))
}

// newDict takes nothing, a dict (a Counter's), or a list of pairs.
func newDict(u *unpickler, args Tuple) (any, error) {
	d := &Dict{}
	if len(args) == 0 {
		return d, nil
	}
	if of, ok := args[0].(*Dict); ok && len(args) == 1 {
		return of, nil
	}
	pairs, ok := args[0].(*List)
	if !ok || len(args) != 1 {
		return nil, fmt.Errorf("made of %d arguments, the first %s", len(args), KindOf(args[0]))
	}
	if err := u.spend(len(pairs.Items)); err != nil {
		return nil, err
	}
	for _, p := range pairs.Items {
		switch p := p.(type) {
		case Tuple:
			if len(p) == 2 {
				d.Entries = append(d.Entries, Entry{p[0], p[1]})
				continue
			}
		case *List:
			if len(p.Items) == 2 {
				d.Entries = append(d.Entries, Entry{p.Items[0], p.Items[1]})
				continue
			}
		}
		return nil, fmt.Errorf("%s where a pair is wanted", KindOf(p))
	}
	return d, nil
}

func newSet(_ *unpickler, args Tuple) (any, error) {
	if len(args) == 0 {
		return &Set{}, nil
	}
	l, ok := args[0].(*List)
	if !ok || len(args) != 1 {
		return nil, fmt.Errorf("made of %d arguments, the first %s", len(args), KindOf(args[0]))
	}
	return &Set{l.Items}, nil
}

// encodeLatin1 is how protocol 2 spells bytes: a string of the characters 0 to 255.
func encodeLatin1(u *unpickler, args Tuple) (any, error) {
	if len(args) != 2 {
		return nil, fmt.Errorf("%d arguments, want 2", len(args))
	}
	text, ok1 := args[0].(string)
	code, ok2 := args[1].(string)
	if !ok1 || !ok2 || code != "latin1" && code != "latin-1" {
		return nil, errors.New("want a string and \"latin1\"")
	}
	if err := u.spend(len(text)); err != nil {
		return nil, err
	}
	b := make([]byte, 0, len(text))
	for i, r := range text {
		if r > 0xff {
			return nil, fmt.Errorf("the character at byte %d is none of latin1", i)
		}
		b = append(b, byte(r))
	}
	return Bytes{memory(u.src.f.name, b).all()}, nil
}

func noBytes(u *unpickler, args Tuple) (any, error) {
	if len(args) != 0 {
		return nil, errors.New("made of arguments")
	}
	return Bytes{memory(u.src.f.name, nil).all()}, nil
}

func firstArg(_ *unpickler, args Tuple) (any, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("%d arguments, want 1", len(args))
	}
	return args[0], nil
}
