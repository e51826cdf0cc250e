package train

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
)

// tiny is a random model that fits tinyCaptions.
func tiny(t testing.TB, kind mapping.Kind) *Model {
	t.Helper()
	lm, err := gpt2.New(gpt2.Config{Vocab: 50, Positions: 32, Dim: 16, Layers: 2, Heads: 2, Eps: 1e-5, EmbdDrop: 0.1, AttnDrop: 0.1, ResidDrop: 0.1, InitRange: 0.2})
	if err != nil {
		t.Fatal(err)
	}
	c := mapping.Config{Kind: kind, Feature: 6, Dim: 16, PrefixLength: 3}
	if kind == mapping.KindTransformer {
		c.ClipLength, c.Layers = 2, 2
	}
	mapper, err := mapping.New(c)
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewModel(mapper, c, lm)
	if err != nil {
		t.Fatal(err)
	}
	lm.Init(1)
	mapper.(interface{ Init(uint64) }).Init(2)
	return m
}

// tinyCaptions are n captions of five images, of 1 to 9 tokens, now and then a 0 or a caption without tokens among them.
func tinyCaptions(t testing.TB, n int) *data.Captions {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	lines := new(strings.Builder)
	for i := range n {
		tokens := make([]string, r.IntN(9)+1)
		for j := range tokens {
			tokens[j] = fmt.Sprint(r.IntN(50))
		}
		if i%11 == 3 {
			tokens = nil
		}
		fmt.Fprintf(lines, "{\"row\":%d,\"tokens\":[%s]}\n", i%5, strings.Join(tokens, ","))
	}
	return captions(t, features(t, 5, 6), lines.String(), 50)
}

func settings(batch int, steps int64) Settings {
	s := Defaults()
	s.BatchSize, s.Steps, s.LR, s.Warmup, s.Dropout, s.Precision, s.Seed = batch, steps, 1e-2, 0, 0, "float32", 3
	return s
}

func trainer(t testing.TB, m *Model, c *data.Captions, s Settings) *Trainer {
	t.Helper()
	p, err := nn.ParsePrecision(s.Precision)
	if err != nil {
		t.Fatal(err)
	}
	tr, err := New(nn.NewCPU(p), m, c, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tr.Close() })
	return tr
}

// losses makes n updates.
func losses(t testing.TB, tr *Trainer, n int) []float64 {
	t.Helper()
	var ls []float64
	for range n {
		u, err := tr.Step(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		ls = append(ls, u.Loss)
	}
	return ls
}

func differ(a, b []float64) float64 {
	var d float64
	for i := range a {
		d = max(d, math.Abs(a[i]-b[i]))
	}
	return d
}

// features writes random features as a .npy file.
func features(t testing.TB, rows, dim int) string {
	t.Helper()
	r := rand.New(rand.NewPCG(5, 6))
	b := npyHeader(rows, dim)
	for range rows * dim {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(r.NormFloat64())))
	}
	path := filepath.Join(t.TempDir(), "features.npy")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func npyHeader(rows, dim int) []byte {
	text := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", rows, dim)
	text += strings.Repeat(" ", 63-(10+len(text))%64) + "\n"
	return append(binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(text))), text...)
}
