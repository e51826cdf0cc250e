package clip

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights"
)

// array reads a golden .npy file of floats.
func array(t testing.TB, path string) []float32 {
	t.Helper()
	s, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f, err := s.Tensor("array").Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// ids reads a golden .npy file of token rows.
func ids(t testing.TB, path string) [][]int32 {
	t.Helper()
	s, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	a := s.Tensor("array")
	flat := make([]int64, a.Len())
	if err := a.ReadInt64(flat); err != nil {
		t.Fatal(err)
	}
	rows := make([][]int32, a.Shape[0])
	for i := range rows {
		for _, id := range flat[i*a.Shape[1] : (i+1)*a.Shape[1]] {
			rows[i] = append(rows[i], int32(id))
		}
	}
	return rows
}

// apart is the largest difference.
func apart(t testing.TB, got, want []float32) float64 {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d numbers, want %d", len(got), len(want))
	}
	var worst float64
	for i, w := range want {
		if d := math.Abs(float64(got[i]) - float64(w)); !(d <= worst) {
			worst = d
		}
	}
	return worst
}

// refs are what a manifest says of reference arrays.
type refs map[string]struct {
	Diff  float64 `json:"f32_vs_f64_max"`
	Scale float64
}

// TestGoldenContainers: every container of the golden CLIP models gives their image and text features.
func TestGoldenContainers(t *testing.T) { goldenContainers(t, nil, func(string) bool { return true }) }

// TestGPUGoldenContainers: one container of each kind of model on a GPU.
func TestGPUGoldenContainers(t *testing.T) {
	done := map[string]bool{}
	goldenContainers(t, testkit.GPU(t, nn.Float32), func(ref string) bool {
		again := done[ref]
		done[ref] = true
		return !again
	})
}

// goldenContainers checks the models whose kind is wanted on a backend, nil for the CPU's.
func goldenContainers(t *testing.T, be nn.Backend, want func(ref string) bool) {
	dir := testkit.Golden(t, "models/weights")
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Files map[string]struct{ Ref string }
		Refs  map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for file, e := range manifest.Files {
		if e.Ref != "clip_vit" && e.Ref != "clip_rn" || !want(e.Ref) {
			continue
		}
		ran++
		o := Options{Activation: QuickGELU, Text: true, Batch: 2}
		m, err := Open(filepath.Join(dir, file), o)
		if be != nil { // another than an encoder opens: it takes weights that are nobody's yet
			var model *Model
			if model, err = Load(filepath.Join(dir, file), o.Activation, o.Text); err == nil {
				m = encoderOn(be, model, o)
			}
		}
		if err != nil {
			t.Error(err)
			continue
		}
		check := func(what string, got []float32) {
			t.Helper()
			name := e.Ref + "/out_" + what + "_features_f64.npy"
			var r struct {
				Diff  float64 `json:"f32_vs_f64_max"`
				Scale float64
			}
			if err := json.Unmarshal(manifest.Refs[name], &r); err != nil {
				t.Fatal(err)
			}
			// Twice the gate that the image features of the acceptance check have half of.
			gate := 4*r.Diff + 1e-6*r.Scale
			if d := apart(t, got, array(t, filepath.Join(dir, name))); !(d <= gate) {
				t.Errorf("%s: %s features %.2g apart, want %.2g", file, what, d, gate)
			} else {
				t.Logf("%s: %s features %.2g apart, gate %.2g", file, what, d, gate)
			}
		}
		images, err := m.EncodePixels(context.Background(), array(t, filepath.Join(dir, e.Ref, "in_image.npy")))
		if err != nil {
			t.Error(err)
			continue
		}
		check("image", flat(images))
		texts, err := m.EncodeIDs(context.Background(), ids(t, filepath.Join(dir, e.Ref, "in_text.npy")))
		if err != nil {
			t.Error(err)
			continue
		}
		check("text", flat(texts))
	}
	if ran == 0 {
		t.Error("no container in the manifest")
	}
}

func flat(rows [][]float32) []float32 {
	var all []float32
	for _, r := range rows {
		all = append(all, r...)
	}
	return all
}

// fullSize makes a golden model of published size.
func fullSize(t testing.TB, tag, name string, text bool) *Model {
	t.Helper()
	tensors := testkit.FullSize(t, tag)
	c, err := Published(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(c, text)
	if err != nil {
		t.Fatal(err)
	}
	params, err := m.Params()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range params {
		x := tensors[p.Name]
		if x == nil {
			t.Fatalf("no golden tensor %s", p.Name)
		}
		x.Fill(p.Data)
		delete(tensors, p.Name)
	}
	if len(tensors) > 0 && text {
		t.Fatalf("%d golden tensors are not in the model", len(tensors))
	}
	m.ready(nil)
	return m
}

// TestGoldenFullSize: the published sizes in every precision.
func TestGoldenFullSize(t *testing.T) { goldenFullSize(t, nil) }

func TestGPUGoldenFullSize(t *testing.T) {
	testkit.NeedsGPU(t)
	goldenFullSize(t, func(p nn.Precision) nn.Backend { return testkit.GPU(t, p) })
}

func goldenFullSize(t *testing.T, backend func(nn.Precision) nn.Backend) {
	if testing.Short() {
		t.Skip("models of published size")
	}
	dir := testkit.Golden(t, "models/fullsize")
	var manifest struct{ Refs refs }
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		tag, name, input string
		images           int
	}{{"vit_b32", "ViT-B/32", "input/image224", 2}, {"rn50x4", "RN50x4", "input/image288", 1}} {
		model := fullSize(t, c.tag, c.name, c.tag == "vit_b32")
		size := model.Config.Vision.ImageSize
		pixels := make([]float32, c.images*3*size*size)
		testkit.Formula(pixels, c.input, 2, 0)
		ref := manifest.Refs[c.tag+"_image_features_f64"]
		want := array(t, filepath.Join(dir, c.tag+"_image_features_f64.npy"))
		for _, p := range []nn.Precision{nn.Float32, nn.High, nn.BFloat16} {
			e, err := newEncoder(model, Options{Precision: p})
			if err != nil {
				t.Fatal(err)
			}
			if backend != nil {
				e.backend = backend(p)
			}
			rows, err := e.EncodePixels(context.Background(), pixels)
			if err != nil {
				t.Fatal(err)
			}
			got := flat(rows)
			d, cos := apart(t, got, want), cosine(got, want)
			t.Logf("%s %v: %.2g apart, cosine %.7f", c.name, p, d, cos)
			if p == nn.Float32 && !(d <= 4*ref.Diff) {
				t.Errorf("%s: %.2g apart, want %.2g", c.name, d, 4*ref.Diff)
			}
			if p == nn.High && !(d <= 40*ref.Diff) {
				t.Errorf("%s high: %.2g apart, want %.2g", c.name, d, 40*ref.Diff)
			}
			if !(cos >= 0.9995) {
				t.Errorf("%s %v: cosine %v, want at least 0.9995", c.name, p, cos)
			}
			if model.Text == nil || p != nn.Float32 {
				continue
			}
			texts, err := e.EncodeIDs(context.Background(), ids(t, filepath.Join(dir, c.tag+"_text_ids.npy")))
			if err != nil {
				t.Fatal(err)
			}
			d = apart(t, flat(texts), array(t, filepath.Join(dir, c.tag+"_text_features_f64.npy")))
			t.Logf("%s text: %.2g apart", c.name, d)
			if !(d <= 4*ref.Diff) {
				t.Errorf("%s text: %.2g apart, want %.2g", c.name, d, 4*ref.Diff)
			}
		}
	}
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}
