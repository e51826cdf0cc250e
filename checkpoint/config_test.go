package checkpoint

import (
	"encoding/json"
	"testing"

	"github.com/clipcap-go/clipcap/gpt2"
	"github.com/clipcap-go/clipcap/mapping"
)

// FuzzConfig holds that what is read as a configuration is valid and is the same again when it is written and read.
func FuzzConfig(f *testing.F) {
	lm, err := gpt2.Published("gpt2")
	if err != nil {
		f.Fatal(err)
	}
	good, err := json.Marshal(Config{Format: format, Config: mapping.Config{Kind: mapping.KindMLP, Feature: 512, Dim: lm.Dim, PrefixLength: 10}, LM: lm,
		Normalize: true, CLIP: Source{Name: "ViT-B/32"}, Training: json.RawMessage(`{"steps": 3}`)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)/2])
	for _, text := range []string{``, `null`, `{}`, `[]`, `{"clipcap_format": 1e99}`, `{"clipcap_format": 1, "gpt2_config": null}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseConfig(text)
		if err != nil {
			return
		}
		if err := c.Validate(); err != nil {
			t.Fatalf("%q is taken, and is %v", text, err)
		}
		again, err := json.Marshal(c)
		if err != nil {
			t.Fatalf("%q cannot be written: %v", text, err)
		}
		d, err := parseConfig(again)
		if err != nil {
			t.Fatalf("%q becomes %q: %v", text, again, err)
		}
		c.Training, d.Training = nil, nil
		if a, _ := json.Marshal(c); err == nil {
			if b, _ := json.Marshal(d); string(a) != string(b) {
				t.Errorf("%q is %s, and %s when it is read again", text, a, b)
			}
		}
	})
}
