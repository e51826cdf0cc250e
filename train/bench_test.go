package train

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/clipcap-go/clipcap/data"
	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
)

// cocoLike are captions of COCO's lengths (8 and an exponential tail, 11.6 tokens on average), five an image.
func cocoLike(b testing.TB, n, dim int) *data.Captions {
	r := rand.New(rand.NewPCG(1, 1))
	lines := new(strings.Builder)
	for i := range n {
		length := min(24, 8+int(r.ExpFloat64()*4.1))
		tokens := make([]string, length)
		for j := range tokens {
			tokens[j] = fmt.Sprint(1 + r.IntN(50256))
		}
		fmt.Fprintf(lines, "{\"row\":%d,\"tokens\":[%s]}\n", i/5, strings.Join(tokens, ","))
	}
	return captions(b, features(b, (n+4)/5, dim), lines.String(), 50257)
}

// full is a model of the paper's size with random weights.
func full(b testing.TB, kind mapping.Kind, dim int) *Model {
	c, err := gpt2.Published("gpt2")
	if err != nil {
		b.Fatal(err)
	}
	lm, err := gpt2.New(c)
	if err != nil {
		b.Fatal(err)
	}
	mc := mapping.Config{Kind: kind, Feature: dim, Dim: c.Dim, PrefixLength: 10}
	if kind == mapping.KindTransformer {
		mc.ClipLength, mc.Layers = 10, 8
	}
	m, err := mapping.New(mc)
	if err != nil {
		b.Fatal(err)
	}
	model, err := NewModel(m, mc, lm)
	if err != nil {
		b.Fatal(err)
	}
	lm.Init(1)
	m.(interface{ Init(uint64) }).Init(2)
	return model
}

// BenchmarkStep is a training step at the paper's sizes: captions/s, by workload, precision and batch. CLIPCAP_PROFILE=1 prints where
// the time goes.
func BenchmarkStep(b *testing.B) {
	for _, w := range []struct {
		name   string
		kind   mapping.Kind
		frozen bool
	}{{"tuned", mapping.KindMLP, false}, {"frozen", mapping.KindTransformer, true}} {
		for _, precision := range []string{"float32", "high", "bfloat16"} {
			for _, batch := range []int{8, 40, 256} {
				for _, group := range []bool{false, true} {
					b.Run(fmt.Sprintf("%s/%s/b%d/group=%v", w.name, precision, batch, group), func(b *testing.B) {
						benchStep(b, w.kind, w.frozen, precision, batch, group)
					})
				}
			}
		}
	}
}

func benchStep(b *testing.B, kind mapping.Kind, frozen bool, precision string, batch int, group bool) {
	p, err := nn.ParsePrecision(precision)
	if err != nil {
		b.Fatal(err)
	}
	s := Defaults()
	s.BatchSize, s.Steps, s.FrozenLM, s.Group, s.Precision = batch, 1000, frozen, group, precision
	tr, err := New(nn.NewCPU(p), full(b, kind, 512), cocoLike(b, 2000, 512), s)
	if err != nil {
		b.Fatal(err)
	}
	defer tr.Close()
	step := func() {
		if _, err := tr.Step(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	step() // packs the weights
	profile := os.Getenv("CLIPCAP_PROFILE") != ""
	tr.net.machine.Profile(profile)
	fastest := math.Inf(1)
	for b.Loop() {
		start := time.Now()
		step()
		fastest = min(fastest, time.Since(start).Seconds())
	}
	b.ReportMetric(float64(batch*b.N)/b.Elapsed().Seconds(), "captions/s")
	b.ReportMetric(float64(batch)/fastest, "best-captions/s")
	if profile {
		var sum time.Duration
		text := new(strings.Builder) // a log keeps ten lines only
		for _, t := range tr.net.machine.Times() {
			sum += t.Time
			fmt.Fprintf(text, "%-24s %4d %8.1f ms\n", t.Kind, t.Nodes, t.Time.Seconds()*1e3/float64(b.N))
		}
		fmt.Fprintf(text, "%-24s      %8.1f ms\n", "the rest, AdamW mostly", (b.Elapsed()-sum).Seconds()*1e3/float64(b.N))
		fmt.Fprintf(text, "results %.2f GB, packed weights %.2f GB", float64(tr.net.machine.Plan().Arena)*4e-9, float64(tr.backend.(*nn.CPU).PackedBytes())*1e-9)
		fmt.Fprintln(os.Stderr, text)
	}
}
