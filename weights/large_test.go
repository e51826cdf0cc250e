package weights

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

// holes writes to a file and leaves a hole wherever a block is zero, so that gigabytes take no room.
type holes struct{ f *os.File }

var zeroBlock = make([]byte, 1<<20)

func (h holes) Write(p []byte) (int, error) {
	if len(p) == len(zeroBlock) && p[0] == 0 && p[len(p)-1] == 0 {
		_, err := h.f.Seek(int64(len(p)), io.SeekCurrent)
		return len(p), err
	}
	return h.f.Write(p)
}

// blocks writes n blocks of zeros.
func blocks(n int) func(w io.Writer) error {
	return func(w io.Writer) error {
		for range n {
			if _, err := w.Write(zeroBlock); err != nil {
				return err
			}
		}
		return nil
	}
}

// large writes a sparse file.
func large(t *testing.T, name string, write func(w io.Writer) error) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := write(holes{f}); err != nil {
		t.Fatal(err)
	}
	return path
}

const (
	over4G  = 1<<12 + 3          // blocks
	numbers = over4G * (1 << 19) // in half precision
)

// TestOver4GB: 64-bit offsets in each container, and no gigabyte in memory.
func TestOver4GB(t *testing.T) {
	if testing.Short() || runtime.GOOS != "linux" {
		t.Skip("takes seconds and a file system with holes")
	}
	wide := Raw("wide", F16, []int{over4G, 1 << 19}, blocks(over4G))
	last := Floats("last", []int{3}, []float32{1, -2, 0.5}, F16)
	for name, path := range map[string]string{
		"safetensors": large(t, "x.safetensors", func(w io.Writer) error { return WriteSafetensors(w, nil, []Item{wide, last}) }),
		"torch zip":   large(t, "x.pt", func(w io.Writer) error { return WriteTorch(w, []Item{wide, last}) }),
		"features":    large(t, "x.pkl", bigFeatures),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s, err := Open(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		w, l := s.Tensor("wide"), s.Tensor("last")
		if name == "features" {
			w, l = s.Tensor("clip_embedding"), nil
			if l, err = w.Rows(over4G-1, over4G); err == nil {
				f, ferr := l.Float32s()
				if ferr != nil || f[1<<19-1] != 1 || f[0] != 0 {
					t.Errorf("%s: last numbers, %v", name, ferr)
				}
			}
		} else if f, ferr := l.Float32s(); ferr != nil || !slices.Equal(f, []float32{1, -2, 0.5}) {
			t.Errorf("%s: last is %v, %v", name, f, ferr)
		}
		if err != nil || w.Len() != numbers {
			t.Errorf("%s: %d numbers, want %d, %v", name, w.Len(), numbers, err)
		}
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 32<<20 {
			t.Errorf("%s: %d MB were allocated", name, used>>20)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// bigFeatures is a feature pickle whose one bytes object holds more than 4 GiB.
func bigFeatures(w io.Writer) error {
	wide := Raw("wide", F16, []int{over4G, 1 << 19}, func(w io.Writer) error { return nil })
	p := pickled{opProto, 2, opLong1, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, opStop}
	p.op(opProto, 2, opBinInt2)
	p = binary.LittleEndian.AppendUint16(p, legacyProtocol)
	p.op(opStop, opProto, 2, opEmptyDict, opStop, opProto, 2)
	p.tensor(wide, 0)
	p.op(opStop, opProto, 2, opEmptyList)
	p.text("0")
	p.op(opAppend, opStop)
	p = binary.LittleEndian.AppendUint64(p, numbers)

	head := pickled{opProto, 4, opEmptyDict, opMark}
	head.text("clip_embedding")
	head.global("torch.storage", "_load_from_bytes")
	head.op(opBinBytes8)
	head = binary.LittleEndian.AppendUint64(head, uint64(len(p))+2*numbers)
	if _, err := w.Write(append(head, p...)); err != nil {
		return err
	}
	if err := blocks(over4G - 1)(w); err != nil {
		return err
	}
	block := slices.Clone(zeroBlock)
	block[len(block)-1] = 0x3c // a last number of 1
	if _, err := w.Write(block); err != nil {
		return err
	}
	tail := pickled{opTuple1, opReduce}
	tail.text("captions")
	tail.op(opEmptyList, opSetItems, opStop)
	_, err := w.Write(tail)
	return err
}
