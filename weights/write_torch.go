package weights

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
)

// WriteTorch writes items as torch.save writes a state dict: a zip archive of an OrderedDict, which torch.load reads, with
// weights_only too. Records are stored and aligned, so that it can map them.
func WriteTorch(w io.Writer, items []Item) error {
	if err := checkItems(items); err != nil {
		return err
	}
	out := &counter{w: w}
	a := &torchWriter{out: out, zip: zip.NewWriter(out)}
	p, records := stateDict(items)
	if err := a.record("data.pkl", func(w io.Writer) error { _, err := w.Write(p); return err }); err != nil {
		return err
	}
	if err := a.text("byteorder", "little"); err != nil {
		return err
	}
	for key, e := range records {
		if err := a.record("data/"+strconv.Itoa(key), e.put); err != nil {
			return err
		}
	}
	if err := a.text("version", "3\n"); err != nil {
		return err
	}
	return a.zip.Close()
}

// torchWriter writes an archive's records.
type torchWriter struct {
	out *counter
	zip *zip.Writer
}

const torchRoot = "archive/"

func (a *torchWriter) text(name, text string) error {
	return a.record(name, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
}

// record writes one record, its data aligned by an extra field, "FB" as PyTorch calls it.
func (a *torchWriter) record(name string, write func(w io.Writer) error) error {
	if err := a.zip.Flush(); err != nil {
		return err
	}
	name = torchRoot + name
	const local = 30 // bytes of a local header before the name
	start := a.out.n + local + int64(len(name)) + 4
	pad := int((dataAlign - start%dataAlign) % dataAlign)
	extra := binary.LittleEndian.AppendUint16([]byte("FB"), uint16(pad))
	for range pad {
		extra = append(extra, 'Z')
	}
	w, err := a.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store, Extra: extra})
	if err != nil {
		return err
	}
	return write(w)
}

// torchStorage is the class of a type's storage.
var torchStorage = map[DType]string{F64: "DoubleStorage", F32: "FloatStorage", F16: "HalfStorage", BF16: "BFloat16Storage",
	I64: "LongStorage", I32: "IntStorage", I16: "ShortStorage", I8: "CharStorage", U8: "ByteStorage", Bool: "BoolStorage"}

// stateDict is the pickle, protocol 2, of an OrderedDict of tensors, and the items whose numbers are records 0, 1, ….
func stateDict(items []Item) (p pickled, records []Item) {
	keys := map[string]int{}
	p = append(p, opProto, 2)
	p.orderedDict()
	p.op(opMark)
	for _, e := range items {
		key, shared := keys[e.alias]
		if !shared {
			key = len(records)
			keys[e.Name], records = key, append(records, e)
		}
		p.text(e.Name)
		p.tensor(e, key)
	}
	p.op(opSetItems, opStop)
	return p, records
}

// pickled is a pickle in the making.
type pickled []byte

func (p *pickled) op(ops ...byte) { *p = append(*p, ops...) }

func (p *pickled) text(s string) {
	*p = append(binary.LittleEndian.AppendUint32(append(*p, opBinUnicode), uint32(len(s))), s...)
}

func (p *pickled) global(module, name string) {
	*p = fmt.Appendf(*p, "%c%s\n%s\n", opGlobal, module, name)
}

func (p *pickled) orderedDict() {
	p.global("collections", "OrderedDict")
	p.op(opEmptyTuple, opReduce)
}

// integer writes n ≥ 0.
func (p *pickled) integer(n int) {
	if n < 1<<31 {
		*p = binary.LittleEndian.AppendUint32(append(*p, opBinInt), uint32(n))
		return
	}
	*p = binary.LittleEndian.AppendUint64(append(*p, opLong1, 8), uint64(n))
}

func (p *pickled) integers(n []int) {
	p.op(opMark)
	for _, v := range n {
		p.integer(v)
	}
	p.op(opTuple)
}

// tensor writes torch._utils._rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks).
func (p *pickled) tensor(e Item, key int) {
	n, _ := numel(e.Shape) // checked before
	p.global("torch._utils", "_rebuild_tensor_v2")
	p.op(opMark, opMark)
	p.text("storage")
	p.global("torch", torchStorage[e.DType])
	p.text(strconv.Itoa(key))
	p.text("cpu")
	p.integer(n)
	p.op(opTuple, opBinPersID)
	p.integer(0)
	p.integers(e.Shape)
	p.integers(rowMajor(e.Shape))
	p.op(opNewFalse)
	p.orderedDict()
	p.op(opTuple, opReduce)
}
