package gpt2

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/clipcap-go/clipcap/weights"
)

// saved writes a model with these sizes to a file.
func saved(t testing.TB, c Config) (path string, bytes int) {
	t.Helper()
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	params, err := m.Params("")
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range params {
		for j := range p.Data {
			p.Data[j] = float32(i + j)
		}
	}
	path = filepath.Join(t.TempDir(), "model.safetensors")
	err = weights.WriteFile(path, func(w io.Writer) error {
		return weights.WriteSafetensors(w, nil, weights.OfParams(params, weights.F32))
	})
	if err != nil {
		t.Fatal(err)
	}
	return path, 4 * params.Count()
}

// TestLoadTakesNoSecondCopy: loading allocates little beside the parameters.
func TestLoadTakesNoSecondCopy(t *testing.T) {
	c := defaults()
	c.Vocab, c.Dim, c.Layers, c.Heads = 5000, 256, 4, 4
	path, size := saved(t, c)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	m, err := Load(path, &c)
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; float64(used) > 1.2*float64(size) {
		t.Errorf("%d bytes were allocated for %d bytes of parameters", used, size)
	}
	if got := m.Tokens.Weight.Data[7]; got != 7 {
		t.Errorf("number 7 is %v", got)
	}
}

// BenchmarkLoadSmall loads a file of GPT-2 small's size, in turn with reading the file's bytes, into memory for all of them and through one
// buffer. It reports the ratios of the medians and the allocated bytes for each byte of parameters.
func BenchmarkLoadSmall(b *testing.B) {
	c, err := Published("gpt2")
	if err != nil {
		b.Fatal(err)
	}
	path, size := saved(b, c)
	var read, stream, load []time.Duration
	var alloc uint64
	for b.Loop() {
		runtime.GC()
		start := time.Now()
		text, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		read = append(read, time.Since(start))
		runtime.KeepAlive(text)
		text = nil
		start = time.Now()
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{f}, make([]byte, 1<<20)); err != nil {
			b.Fatal(err)
		}
		f.Close()
		stream = append(stream, time.Since(start))
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start = time.Now()
		m, err := Load(path, nil)
		if err != nil {
			b.Fatal(err)
		}
		load = append(load, time.Since(start))
		runtime.ReadMemStats(&after)
		alloc = after.TotalAlloc - before.TotalAlloc
		runtime.KeepAlive(m)
	}
	median := func(d []time.Duration) float64 {
		slices.Sort(d)
		return float64(d[len(d)/2])
	}
	b.ReportMetric(median(load)/median(read), "load/read")
	b.ReportMetric(median(load)/median(stream), "load/stream")
	b.ReportMetric(float64(alloc)/float64(size), "alloc/param")
}
