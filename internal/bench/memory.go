package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"

	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights"
)

// memory prints what the memory of a run is for, and the most the process had.
func (t *measured) memory(w io.Writer, be nn.Backend) error {
	const mb = 1 << 20
	var trained, all int
	for _, p := range t.Model.Params() {
		all += len(p.Data)
		if !p.Frozen {
			trained += len(p.Data)
		}
	}
	plan := t.Plan()
	packed, held := 0, 0
	if c, ok := be.(*nn.CPU); ok {
		packed = c.PackedBytes()
		held = c.HeldBytes() - packed
	}
	fmt.Fprintf(w, "%-62s %8s\n", "memory", "MB")
	for _, r := range []struct {
		what  string
		bytes int
	}{
		{fmt.Sprintf("parameters on the host, %.1f M", float64(all)/1e6), 4 * all},
		{fmt.Sprintf("moments of the %.1f M that are trained", float64(trained)/1e6), 8 * trained},
		{"weights packed for the kernels", packed},
		{fmt.Sprintf("results of %d operations (%d MB if none shared memory)", plan.Steps, 4*plan.Sum/mb), 4 * plan.Arena},
		{"logits that a loss keeps, operands in the order products read", held},
	} {
		fmt.Fprintf(w, "%-62s %8d\n", r.what, r.bytes/mb)
	}
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	fmt.Fprintf(w, "%-62s %8d\n", "Go's heap in use", s.HeapInuse/mb)
	if peak := peakMemory(); peak != "" {
		fmt.Fprintf(w, "%-62s %8s\n", "the process at its peak", peak)
	}
	return nil
}

// peakMemory is the most resident memory the process ever had, in MB; "" where the system does not say.
func peakMemory() string {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		var kb int
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kb); n == 1 {
			return fmt.Sprint(kb / 1024)
		}
	}
	return ""
}

// writeFeatures writes random features [n, dim] as .npy.
func writeFeatures(path string, n, dim int) error {
	r := rand.New(rand.NewPCG(1, 1))
	x := make([]float32, n*dim)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := weights.WriteNPY(f, weights.Floats("features", []int{n, dim}, x, weights.F32)); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
