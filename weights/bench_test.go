package weights

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// BenchmarkLoad reads a safetensors file of 16 Mi numbers into fresh float32 memory, as Bind does, in turns with
// os.ReadFile of the same file; the ratio is that of the least times.
func BenchmarkLoad(b *testing.B) {
	const n = 16 << 20
	for _, d := range []DType{F32, F16, BF16} {
		path := filepath.Join(b.TempDir(), d.String())
		err := WriteFile(path, func(w io.Writer) error {
			return WriteSafetensors(w, nil, []Item{Raw("w", d, []int{n >> 10, 1 << 10}, func(w io.Writer) error {
				block := make([]byte, 1<<20)
				for i := range block {
					block[i] = byte(i * 31 & 0x3f)
				}
				for range n * d.Size() >> 20 {
					if _, err := w.Write(block); err != nil {
						return err
					}
				}
				return nil
			})})
		})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(d.String(), func(b *testing.B) {
			ours, readFile := time.Hour, time.Hour
			for b.Loop() {
				runtime.GC()
				start := time.Now()
				s, err := Open(path)
				if err == nil {
					err = errors.Join(readPieces(split(s.Tensor("w"), make([]float32, n))), s.Close())
				}
				ours = min(ours, time.Since(start))
				runtime.GC()
				start = time.Now()
				_, err2 := os.ReadFile(path)
				readFile = min(readFile, time.Since(start))
				if err := errors.Join(err, err2); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n*d.Size())/ours.Seconds()/1e9, "GB/s")
			b.ReportMetric(ours.Seconds()/readFile.Seconds(), "xReadFile")
		})
	}
}
