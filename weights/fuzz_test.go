package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// explore opens a file and reads what is in it. Errors are welcome; a panic, or a tensor whose parts disagree, is not.
func explore(t *testing.T, name string, file []byte) {
	s, err := openBytes(name, file)
	if err != nil {
		if !strings.HasPrefix(err.Error(), name) {
			t.Errorf("the error does not name the file: %v", err)
		}
		return
	}
	defer s.Close()
	TokenCache(s)
	for i, x := range s.Tensors() {
		if i == 100 {
			return
		}
		if x.Len() > 1<<20 {
			continue
		}
		var b bytes.Buffer
		n, err := x.WriteTo(&b)
		if err != nil {
			continue // a record whose compression lies
		}
		if n != int64(x.Len()*x.DType.Size()) {
			t.Errorf("%s: %d bytes for %s %v", x.Name, n, x.DType, x.Shape)
		}
		if f, err := x.Float32s(); err != nil || len(f) != x.Len() {
			t.Errorf("%s: %d numbers for shape %v, %v", x.Name, len(f), x.Shape, err)
		}
	}
}

// fuzz runs a target with seeds of each length as well: files that were cut short.
func fuzz(f *testing.F, name string, seeds ...[]byte) {
	for _, s := range seeds {
		f.Add(s)
		f.Add(s[:len(s)/2])
	}
	f.Fuzz(func(t *testing.T, file []byte) { explore(t, name, file) })
}

// made is a file in memory.
func made(f *testing.F, write func(w io.Writer) error) []byte {
	f.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		f.Fatal(err)
	}
	return b.Bytes()
}

func small() []Item {
	a := Floats("a.weight", []int{2, 3}, []float32{1, 2, 3, 4, 5, 6}, F32)
	return []Item{a, Floats("b", []int{3}, []float32{1, 2, 3}, BF16), Floats("s", []int{}, []float32{7}, F16), Alias("tied", a)}
}

func FuzzSafetensors(f *testing.F) {
	fuzz(f, "x.safetensors", made(f, func(w io.Writer) error { return WriteSafetensors(w, map[string]string{"a": "b"}, small()) }),
		safetensorsFile(`{"a":{"dtype":"I64","shape":[0],"data_offsets":[0,0]}}`), safetensorsFile("{}"))
}

func FuzzTorchZip(f *testing.F) {
	fuzz(f, "x.pt", made(f, func(w io.Writer) error { return WriteTorch(w, small()) }))
}

func FuzzNPY(f *testing.F) {
	fuzz(f, "x.npy", made(f, func(w io.Writer) error { return WriteNPY(w, small()[0]) }), made(f, func(w io.Writer) error { return WriteNPY(w, small()[2]) }))
}

func FuzzIndex(f *testing.F) {
	for _, seed := range []string{`{"metadata":{},"weight_map":{"a":"one.safetensors"}}`, `{"weight_map":{"a":"../x","a":1}}`, `{"weight_map":{"a":"i.json"}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		shard := safetensorsFile(`{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}`, 5)
		path := filepath.Join(dir, "i.json")
		if err := errors.Join(os.WriteFile(filepath.Join(dir, "one.safetensors"), shard, 0o666), os.WriteFile(path, []byte(text), 0o666)); err != nil {
			t.Fatal(err)
		}
		if s, err := Open(path); err == nil {
			s.Close()
		} else if !strings.Contains(err.Error(), "i.json") {
			t.Errorf("the error does not name the file: %v", err)
		}
	})
}

// legacy is a file of torch.save as it was before zip archives.
func legacy(items []Item) []byte {
	p := pickled{opProto, 2, opLong1, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, opStop}
	p.op(opProto, 2, opBinInt2)
	p = binary.LittleEndian.AppendUint16(p, legacyProtocol)
	p.op(opStop, opProto, 2, opEmptyDict, opStop)
	dict, records := stateDict(items)
	p = append(p, dict...)
	p.op(opProto, 2, opEmptyList, opMark)
	for i := range records {
		p.text(string(rune('0' + i)))
	}
	p.op(opAppends, opStop)
	var b bytes.Buffer
	for _, e := range records {
		n, _ := numel(e.Shape)
		b.Write(binary.LittleEndian.AppendUint64(nil, uint64(n)))
		e.put(&b)
	}
	return append(p, b.Bytes()...)
}

// features is a pickle of the original's: a tensor as a file inside the bytes of the pickle.
func features(inner []byte) []byte {
	p := pickled{opProto, 4}
	p.op(opEmptyDict, opMark)
	p.text("clip_embedding")
	p.global("torch.storage", "_load_from_bytes")
	p.op(opBinBytes)
	p = append(binary.LittleEndian.AppendUint32(p, uint32(len(inner))), inner...)
	p.op(opTuple1, opReduce)
	p.text("captions")
	p.op(opEmptyList, opSetItems, opStop)
	return p
}

func TestLegacyAndFeatures(t *testing.T) {
	file := legacy(small())
	s, err := openBytes("x.pt", file)
	if err != nil {
		t.Fatal(err)
	}
	if f, err := s.Tensor("a.weight").Float32s(); err != nil || f[5] != 6 || s.Container != TorchLegacy {
		t.Errorf("%v, %v, %s", f, err, s.Container)
	}
	s, err = openBytes("x.pkl", features(file))
	if err != nil {
		t.Fatal(err)
	}
	if f, err := s.Tensor("clip_embedding.b").Float32s(); err != nil || f[2] != 3 {
		t.Errorf("%v, %v", f, err)
	}
}

func FuzzPickle(f *testing.F) {
	dict, _ := stateDict(small())
	fuzz(f, "x.pkl", legacy(small()), features(legacy(small())), dict,
		[]byte("\x80\x04]\x94(K\x01J\xff\xff\xff\xff\x8a\x02\xff\x7fG?\xf0\x00\x00\x00\x00\x00\x00h\x00\x8c\x01xC\x02ab\x8f(K\x01\x90e."),
		[]byte("\x80\x02c_codecs\nencode\nX\x03\x00\x00\x00\xc3\xbfaX\x06\x00\x00\x00latin1\x86R."),
		[]byte("\x80\x02c__torch__.A\nB\n)\x81}(X\x01\x00\x00\x00wK\x01ub."))
}

// TestNoAmplification: a small file cannot make a large one of itself.
func TestNoAmplification(t *testing.T) {
	long := strings.Repeat("x", 1<<16)
	again := func(prepare, each string) []byte {
		p := pickled(prepare)
		p.op(opMark)
		for range 1 << 16 {
			p = append(p, each...)
		}
		p.op(opTuple, opStop)
		return p
	}
	text := pickled{opProto, 2}
	text.text(long)
	inner := legacy(small())
	bytesOf := append(binary.LittleEndian.AppendUint32([]byte{opBinBytes}, uint32(len(inner))), inner...)
	pairs := pickled{opProto, 2, opEmptyList, opMark}
	for range 1 << 12 {
		pairs.op(opNone, opNone, opTuple2)
	}
	pairs.op(opAppends, opBinPut, 0)
	for what, file := range map[string][]byte{
		"a text encoded again and again": again(string(text)+"q\x00", "c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R"),
		"a file read again and again":    again("\x80\x02"+string(bytesOf)+"q\x00", "ctorch.storage\n_load_from_bytes\nh\x00\x85R"),
		"a dict made again and again":    again(string(pairs), "ccollections\nOrderedDict\nh\x00\x85R"),
	} {
		if _, err := openBytes("x.pkl", file); err == nil || !strings.Contains(err.Error(), "again and again") {
			t.Errorf("%s: %v", what, err)
		}
	}
}
