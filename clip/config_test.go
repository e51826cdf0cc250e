package clip

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights"
)

// shapesOf are the tensors of a model by OpenAI's names: those that tell its sizes.
func shapesOf(c Config) map[string][]int {
	v, t := c.Vision, c.Text
	s := map[string][]int{
		"token_embedding.weight": {t.Vocab, t.Width}, "positional_embedding": {t.Context, t.Width}, "text_projection": {t.Width, c.Embed},
		"logit_scale": {}, "input_resolution": {},
	}
	for i := range t.Layers {
		s[fmt.Sprintf("transformer.resblocks.%d.ln_1.weight", i)] = []int{t.Width}
		s[fmt.Sprintf("transformer.resblocks.%d.mlp.c_fc.weight", i)] = []int{t.Inner, t.Width}
	}
	if v.ResNet() {
		grid, wide := v.ImageSize/32, 32*v.Width
		s["visual.attnpool.positional_embedding"] = []int{grid*grid + 1, wide}
		s["visual.attnpool.c_proj.weight"] = []int{c.Embed, wide}
		for stage, blocks := range v.Stages {
			for b := range blocks {
				s[fmt.Sprintf("visual.layer%d.%d.conv1.weight", stage+1, b)] = []int{v.Width << stage, v.Width, 1, 1}
			}
		}
		return s
	}
	grid := v.ImageSize / v.Patch
	s["visual.class_embedding"] = []int{v.Width}
	s["visual.proj"] = []int{v.Width, c.Embed}
	s["visual.conv1.weight"] = []int{v.Width, 3, v.Patch, v.Patch}
	s["visual.positional_embedding"] = []int{grid*grid + 1, v.Width}
	for i := range v.Layers {
		s[fmt.Sprintf("visual.transformer.resblocks.%d.ln_1.weight", i)] = []int{v.Width}
		s[fmt.Sprintf("visual.transformer.resblocks.%d.mlp.c_fc.weight", i)] = []int{v.Inner, v.Width}
	}
	return s
}

// zeros is a file of a header and zeros without end.
type zeros struct{ head []byte }

func (z zeros) ReadAt(p []byte, at int64) (int, error) {
	clear(p)
	if at < int64(len(z.head)) {
		copy(p, z.head[at:])
	}
	return len(p), nil
}

// store is a file with tensors of these shapes.
func store(t *testing.T, shapes map[string][]int) *weights.Store {
	t.Helper()
	header, at := map[string]any{}, 0
	for name, shape := range shapes {
		n := 4
		for _, d := range shape {
			n *= d
		}
		header[name] = map[string]any{"dtype": "F32", "shape": shape, "data_offsets": []int{at, at + n}}
		at += n
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	head := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	s, err := weights.OpenReader("model.safetensors", io.ReaderAt(zeros{head}), int64(len(head)+at))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConfigFromShapes(t *testing.T) {
	for _, name := range PublishedNames() {
		want, err := Published(name)
		if err == nil {
			err = want.Validate()
		}
		if err != nil {
			t.Fatal(err)
		}
		_, got, err := Layout(store(t, shapesOf(want)), "")
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, want)
		}
		text, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := parseConfig(text); err != nil || !reflect.DeepEqual(back, want) {
			t.Errorf("%s: written and read: %+v, %v", name, back, err)
		}
	}
}

func TestActivationMustBeKnown(t *testing.T) {
	c, err := Published("ViT-B/32")
	if err != nil {
		t.Fatal(err)
	}
	shapes := shapesOf(c)
	delete(shapes, "input_resolution")
	s := store(t, shapes)
	if _, _, err := Layout(s, ""); err == nil || !strings.Contains(err.Error(), "--activation") {
		t.Errorf("error %v", err)
	}
	if _, c, err := Layout(s, GELU); err != nil || c.Activation != GELU {
		t.Errorf("%v, %v", c.Activation, err)
	}
	if _, _, err := Layout(s, "relu"); err == nil || !strings.Contains(err.Error(), "quickgelu or gelu") {
		t.Errorf("relu: %v", err)
	}
	for name := range map[string]bool{"visual.class_embedding": true, "visual.proj": true, "visual.conv1.weight": true} {
		broken := shapesOf(c)
		delete(broken, name)
		if _, _, err := Layout(store(t, broken), ""); err == nil {
			t.Errorf("without %s it is a model", name)
		}
	}
}

func TestParseConfig(t *testing.T) {
	for _, c := range []struct {
		text string
		want Config
		bad  string
	}{
		{`{"embed_dim":512,"vision_cfg":{"image_size":224,"layers":12,"width":768,"patch_size":32},"text_cfg":{"context_length":77,"vocab_size":49408,"width":512,"heads":8,"layers":12}}`,
			Config{512, GELU, 0, VisionConfig{224, 768, 12, 12, 32, 3072, nil}, TextConfig{77, 49408, 512, 8, 12, 2048}}, ""},
		{`{"model_cfg":{"embed_dim":1024,"quick_gelu":true,"vision_cfg":{"image_size":224,"layers":[3,4,6,3],"width":64,"patch_size":null},"text_cfg":{"context_length":77,"vocab_size":49408,"width":512,"heads":8,"layers":12}}}`,
			Config{1024, QuickGELU, 0, VisionConfig{224, 64, 32, 0, 0, 0, []int{3, 4, 6, 3}}, TextConfig{77, 49408, 512, 8, 12, 2048}}, ""},
		{`{"embed_dim":1280,"vision_cfg":{"image_size":224,"layers":48,"width":1664,"head_width":104,"mlp_ratio":4.9231,"patch_size":14}}`,
			Config{1280, GELU, 0, VisionConfig{224, 1664, 16, 48, 14, 8192, nil}, TextConfig{}}, ""},
		{`{"projection_dim":768,"vision_config":{"hidden_size":1024,"num_attention_heads":16,"hidden_act":"gelu","layer_norm_eps":1e-6},"text_config":{"hidden_act":"gelu"}}`,
			Config{768, GELU, 1e-6, VisionConfig{Width: 1024, Heads: 16}, TextConfig{}}, ""},
		{`{"vision_config":{},"text_config":{"hidden_act":"gelu"}}`, Config{}, "text_config"},
		{`{"vision_config":{"hidden_act":"relu"}}`, Config{}, "hidden_act"},
		{`{"embed_dim":8,"vision_cfg":{"layers":"many"}}`, Config{}, "layers"},
		{`{"model_cfg":{}}`, Config{}, "vision_cfg"},
		{`{"n_embd":768}`, Config{}, "not a configuration of CLIP"},
		{`[`, Config{}, "CLIP configuration"},
	} {
		got, err := parseConfig([]byte(c.text))
		if c.bad != "" {
			if err == nil || !strings.Contains(err.Error(), c.bad) {
				t.Errorf("%s: error %v, want %q", c.text, err, c.bad)
			}
			continue
		}
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", c.text, got, err, c.want)
		}
	}
}

// TestGoldenLayouts: the same model in every layout has the same parameters under the same names.
func TestGoldenLayouts(t *testing.T) {
	dir, shapes := testkit.Golden(t, "models/weights/clip_vit"), testkit.GoldenModels(t)
	numbers := func(file string) map[string][]float32 {
		s, err := weights.Open(dir + "/" + file)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		l, c, err := Layout(s, QuickGELU)
		if err != nil {
			t.Fatal(err)
		}
		if c.Vision.Layers != shapes.VisionLayers || c.Vision.ImageSize != shapes.ImageSize || c.Embed != shapes.Embed ||
			c.Text.Layers != shapes.TextLayers || c.Text.Vocab != shapes.TextVocab {
			t.Errorf("%s: %+v", file, c)
		}
		var params nn.Params
		data := map[string][]float32{}
		for _, name := range l.Names() {
			p := nn.NewParam(l.Shape(name)...)
			p.Name = name
			params, data[name] = append(params, p), p.Data
		}
		if err := l.Bind(params); err != nil {
			t.Fatal(err)
		}
		return data
	}
	want := numbers("jit_fp16.pt")
	for _, file := range []string{"state_dict_fp16.pt", "state_dict_fp16_legacy.pt", "open_clip_epoch.pt", "open_clip_model.safetensors", "open_clip_custom_text.safetensors",
		"hf_clip.safetensors", "hf_clip_pytorch_model.bin"} {
		got := numbers(file)
		if len(got) != len(want) {
			t.Errorf("%s: %d parameters, want %d", file, len(got), len(want))
		}
		for name := range want {
			if !slices.Equal(got[name], want[name]) {
				t.Errorf("%s: %s differs", file, name)
			}
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add(`{"embed_dim":512,"vision_cfg":{"layers":[3,4,6,3],"width":64,"mlp_ratio":1e300},"text_cfg":{"heads":8}}`)
	f.Add(`{"projection_dim":768,"vision_config":{"hidden_size":1024,"num_attention_heads":16},"text_config":{}}`)
	f.Add(`{"model_cfg":{"vision_cfg":{"head_width":-1,"layers":null}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := parseConfig([]byte(text)); err == nil {
			c.Validate()
		}
	})
}
