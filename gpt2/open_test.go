package gpt2

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestCount(t *testing.T) {
	for name, want := range map[string]int{"gpt2": 124439808, "gpt2-medium": 354823168, "gpt2-large": 774030080, "gpt2-xl": 1557611200} {
		c, err := Published(name)
		if err != nil || c.Count() != want {
			t.Errorf("%s has %d numbers, want %d (%v)", name, c.Count(), want, err)
		}
	}
	c := Config{Vocab: 7, Positions: 5, Dim: 6, Layers: 2, Heads: 3, Inner: 10, Eps: 1e-5}
	m, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if ps, err := m.Params(""); err != nil || ps.Count() != c.Count() {
		t.Errorf("%d numbers, want %d (%v)", ps.Count(), c.Count(), err)
	}
}

func TestOpenRandom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.json")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"vocab_size":20,"n_positions":9,"n_embd":8,"n_layer":1,"n_head":2}`)
	var qkv [3][]float32
	for i, seed := range []uint64{1, 1, 2} {
		m, err := Open("random:"+path, nil, seed)
		if err != nil {
			t.Fatal(err)
		}
		qkv[i] = m.Blocks[0].Attn.QKV.Weight.Data
	}
	if !slices.Equal(qkv[0], qkv[1]) || slices.Equal(qkv[0], qkv[2]) {
		t.Error("the weights are not the seed's")
	}
	for _, bad := range []struct{ text, want string }{{`{"n_embd":9,"n_head":2}`, "n_head"}, {`{`, path}, {`{"n_embd":1000000,"n_head":1}`, "at most"}} {
		write(bad.text)
		if _, err := Open("random:"+path, nil, 1); err == nil || !strings.Contains(err.Error(), bad.want) {
			t.Errorf("%s: error %v, want one with %q", bad.text, err, bad.want)
		}
	}
	if _, err := Open("random:nothing", nil, 1); err == nil || !strings.Contains(err.Error(), "no file") {
		t.Errorf("no file: %v", err)
	}
}
