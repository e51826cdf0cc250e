package gpt2

import (
	"math"
	"testing"

	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/internal/testkit"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights"
)

// array reads a golden .npy file.
func array(t testing.TB, name string) (data []float32, shape []int) {
	t.Helper()
	s, err := weights.Open(testkit.Golden(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a := s.Tensor("array")
	if data, err = a.Float32s(); err != nil {
		t.Fatal(err)
	}
	return data, a.Shape
}

// pass is a whole forward run with every hidden state, for packed sequences of token ids.
type pass struct{ hidden, logits []float32 }

func forward(t *testing.T, m *Model, be nn.Backend, seqs ...[]int32) pass {
	t.Helper()
	if _, err := m.Params(""); err != nil {
		t.Fatal(err)
	}
	var ids, positions []int32
	starts := []int32{0}
	for _, s := range seqs {
		for i, id := range s {
			ids, positions = append(ids, id), append(positions, int32(i))
		}
		starts = append(starts, int32(len(ids)))
	}
	g := G.NewGraph()
	in := Input{IDs: nn.NewInput(g, "ids", nn.Int32, len(ids)), Positions: nn.NewInput(g, "positions", nn.Int32, len(ids)),
		Sequences: nn.NewSequences(g, "sequences", len(seqs), false)}
	x := m.Embed(in)
	hidden := G.Nodes{x}
	for i := range m.Blocks {
		x = m.Blocks[i].Forward(x, in.Sequences, 0, nil)
		hidden = append(hidden, x)
	}
	hidden[len(hidden)-1] = m.Norm.Forward(x)
	logits := m.Logits(hidden[len(hidden)-1])
	machine, err := nn.NewMachine(be, append(hidden, logits)...)
	if err != nil {
		t.Fatal(err)
	}
	defer machine.Close()
	for n, v := range map[*G.Node][]int32{in.IDs: ids, in.Positions: positions, in.Sequences.Starts: starts} {
		if err := nn.Set(n, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := machine.RunAll(); err != nil {
		t.Fatal(err)
	}
	var p pass
	for _, h := range hidden {
		p.hidden = append(p.hidden, machine.Value(h).Data().([]float32)...)
	}
	p.logits = machine.Value(logits).Data().([]float32)
	return p
}

// nll is the mean of -log softmax(logits)[next token] over a sequence.
func nll(logits []float32, ids []int32) (each []float32) {
	vocab := len(logits) / len(ids)
	for i, next := range ids[1:] {
		row := logits[i*vocab : (i+1)*vocab]
		var sum float64
		for _, x := range row {
			sum += math.Exp(float64(x))
		}
		each = append(each, float32(math.Log(sum)-float64(row[next])))
	}
	return each
}

const small = "models/weights/gpt2/"

func TestGoldenForward(t *testing.T) {
	m, err := Load(testkit.Golden(t, small+"model.safetensors"), nil)
	if err != nil {
		t.Fatal(err)
	}
	ids, shape := array(t, small+"in_ids.npy")
	seqs := make([][]int32, shape[0])
	for i := range ids {
		seqs[i/shape[1]] = append(seqs[i/shape[1]], int32(ids[i]))
	}
	hidden, _ := array(t, small+"out_hidden_f32.npy")
	logits, _ := array(t, small+"out_logits_f64.npy")
	masked, _ := array(t, small+"out_logits_masked_f32.npy")
	mean, _ := array(t, small+"out_nll.npy")

	ref := testkit.GoldenReference(t, "gpt2/out_logits_f64.npy")
	gate, half := 4*ref.Diff, 0.03*ref.Scale // hidden states are compared with PyTorch's float32, as far from the truth itself
	for _, be := range []struct {
		nn.Backend
		gate float64
	}{{nn.NewCPU(nn.Float32), gate}, {nn.NewReference(), gate}, {nn.NewCPU(nn.High), 10 * gate}, {nn.NewCPU(nn.BFloat16), half},
		{testkit.GPU(t, nn.Float32), gate}, {testkit.GPU(t, nn.High), 10 * gate}, {testkit.GPU(t, nn.BFloat16), half}} {
		p := forward(t, m, be.Backend, seqs...)
		testkit.Close(t, "hidden states", p.hidden, hidden, be.gate)
		testkit.Close(t, "logits", p.logits, logits, be.gate)
		each := append(nll(p.logits[:len(p.logits)/2], seqs[0]), nll(p.logits[len(p.logits)/2:], seqs[1])...)
		var sum float64
		for _, x := range each {
			sum += float64(x) / float64(len(each))
		}
		testkit.Close(t, "loss", []float32{float32(sum)}, mean, be.gate)
	}

	// Where the reference masks the end of the second sequence, we leave it out.
	const short = 11
	p := forward(t, m, nn.NewCPU(nn.Float32), seqs[1][:short], seqs[0])
	vocab := m.Config.Vocab
	testkit.Close(t, "logits of a shorter sequence", p.logits[:short*vocab], masked[shape[1]*vocab:][:short*vocab], gate)
}

// fullSize is GPT-2 small with the golden formula's weights.
func fullSize(t testing.TB) *Model {
	t.Helper()
	if testing.Short() {
		t.Skip("a model of 124 million weights")
	}
	list := testkit.FullSize(t, "gpt2")
	c, err := Published("gpt2")
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	params, err := m.Params("")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range params {
		x := list["transformer."+p.Name]
		if x == nil {
			t.Fatalf("no golden tensor for %s", p.Name)
		}
		x.Fill(p.Data)
	}
	return m
}

func TestGoldenFullSize(t *testing.T) { goldenFullSize(t, nn.NewCPU(nn.Float32)) }

func TestGPUGoldenFullSize(t *testing.T) {
	testkit.NeedsGPU(t)
	goldenFullSize(t, testkit.GPU(t, nn.Float32))
}

func goldenFullSize(t *testing.T, be nn.Backend) {
	m := fullSize(t)
	raw, _ := array(t, "models/fullsize/gpt2_ids.npy")
	var ids []int32
	for _, x := range raw {
		ids = append(ids, int32(x))
	}
	logits, _ := array(t, "models/fullsize/gpt2_last_logits_f64.npy")
	hidden, shape := array(t, "models/fullsize/gpt2_hidden_last_pos_f32.npy")
	losses, _ := array(t, "models/fullsize/gpt2_nll_f32.npy")
	p := forward(t, m, be, ids)
	var last []float32
	for i := range shape[0] {
		last = append(last, p.hidden[((i+1)*len(ids)-1)*shape[1]:][:shape[1]]...)
	}
	const gate = 5.6e-5 // four times what PyTorch's own float32 is away from float64
	testkit.Close(t, "logits", p.logits[len(p.logits)-m.Config.Vocab:], logits, gate)
	testkit.Close(t, "hidden states", last, hidden, gate)
	testkit.Close(t, "losses", nll(p.logits, ids), losses, gate)
}
