package weights

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/nn"
)

// headed builds a safetensors file of float32 zeros from names and shapes.
func headed(t *testing.T, shapes ...any) *Store {
	t.Helper()
	var entries []string
	at := 0
	for i := 0; i < len(shapes); i += 2 {
		shape := shapes[i+1].([]int)
		n, err := numel(shape)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(fmt.Sprint(shape), " ", ",")
		entries = append(entries, fmt.Sprintf(`%q:{"dtype":"F32","shape":%s,"data_offsets":[%d,%d]}`, shapes[i], text, at, at+4*n))
		at += 4 * n
	}
	data := make([]byte, at)
	for i := range at / 4 {
		data[4*i+2], data[4*i+3] = byte(i), 0x40 // some number that depends on its place
	}
	s, err := openBytes("made.safetensors", safetensorsFile("{"+strings.Join(entries, ",")+"}", data...))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func param(name string, shape ...int) *nn.Param {
	p := nn.NewParam(shape...)
	p.Name = name
	return p
}

// plain takes every name as it is, but for "buffer" and "other.".
func plain(name string) (Place, bool) {
	if name == "buffer" {
		return Place{}, true
	}
	return Place{Param: name}, !strings.HasPrefix(name, "other.")
}

func TestBindTellsAllAtOnce(t *testing.T) {
	s := headed(t, "a", []int{2, 3}, "b", []int{3, 2}, "buffer", []int{1}, "other.x", []int{1}, "more", []int{4}, "text.y", []int{1})
	l, err := s.Map(plain)
	if err != nil {
		t.Fatal(err)
	}
	params := nn.Params{param("a", 2, 3), param("b", 2, 3), param("c", 1), param("d", 0)}
	err = l.Bind(params, "text.")
	var bad *Misfit
	if !errors.As(err, &bad) {
		t.Fatalf("error %v", err)
	}
	if !slices.Equal(bad.Missing, []string{"c", "d"}) || !slices.Equal(bad.Unused, []string{"other.x", "more"}) ||
		!slices.Equal(bad.Wrong, []string{"b is [3 2], want [2 3]"}) {
		t.Errorf("%+v", bad)
	}
	for _, word := range []string{"made.safetensors", "2 missing: c, d", "2 unused: other.x, more", "b is [3 2], want [2 3]"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q lacks %q", err, word)
		}
	}
	if params[0].Version() != 0 || params[0].Data[1] != 0 {
		t.Error("a misfit changed a parameter")
	}
}

// TestBindPlaces: parts one below the other, transposed, wrapped names; many pieces.
func TestBindPlaces(t *testing.T) {
	s := headed(t, "state_dict.module.q", []int{1, 2}, "state_dict.module.k", []int{2, 2}, "state_dict.module.m", []int{2, 3},
		"state_dict.module.big", []int{1300, 1009}, "optimizer.m", []int{7}, "state_dict.module.s", []int{})
	l, err := s.Map(func(name string) (Place, bool) {
		switch name {
		case "q":
			return Place{Param: "qk", Part: 0, Parts: 2}, true
		case "k":
			return Place{Param: "qk", Part: 1, Parts: 2}, true
		case "m":
			return Place{Param: "mt", Transpose: true}, true
		}
		return Place{Param: name}, name == "big" || name == "s"
	})
	if err != nil {
		t.Fatal(err)
	}
	qk, mt, big, scalar := param("qk", 3, 2), param("mt", 3, 2), param("big", 1300, 1009), param("s")
	if err := l.Bind(nn.Params{mt, big, qk, scalar}); err != nil {
		t.Fatal(err)
	}
	of := func(name string) []float32 {
		f, err := s.Tensor("state_dict.module." + name).Float32s()
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	if want := append(of("q"), of("k")...); !slices.Equal(qk.Data, want) {
		t.Errorf("stacked: %v, want %v", qk.Data, want)
	}
	if m := of("m"); !slices.Equal(mt.Data, []float32{m[0], m[3], m[1], m[4], m[2], m[5]}) {
		t.Errorf("transposed: %v of %v", mt.Data, m)
	}
	if !slices.Equal(big.Data, of("big")) || !slices.Equal(scalar.Data, of("s")) || scalar.Version() != 1 {
		t.Error("numbers differ")
	}
}

func TestMapRefuses(t *testing.T) {
	s := headed(t, "q", []int{1, 2}, "k", []int{2})
	for what, m := range map[string]KeyMap{
		"are both":    func(string) (Place, bool) { return Place{Param: "x"}, true },
		"are missing": func(name string) (Place, bool) { return Place{Param: name, Parts: 2}, true },
		"transpose":   func(name string) (Place, bool) { return Place{Param: name, Transpose: true}, true },
	} {
		if _, err := s.Map(m); err == nil || !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), "made.safetensors") {
			t.Errorf("error %v, want %q", err, what)
		}
	}
	parts := map[string]int{"q": 0, "k": 1}
	l, err := s.Map(func(name string) (Place, bool) { return Place{Param: "qk", Part: parts[name], Parts: 2}, true })
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Bind(nn.Params{param("qk", 3, 2)}); err == nil || !strings.Contains(err.Error(), "qk is [1 2] on [2], want [3 2]") {
		t.Errorf("parts that do not fit: %v", err)
	}
}

func TestSame(t *testing.T) {
	const period = 256 // of headed's numbers
	s := headed(t, "a", []int{1500, period * 4}, "b", []int{1500, period * 4}, "one", []int{1}, "c", []int{1500, period * 4}, "d", []int{3})
	l, err := s.Map(plain)
	if err != nil {
		t.Fatal(err)
	}
	for other, want := range map[string]bool{"a": true, "b": true, "c": false, "d": false, "none": false} {
		if same, err := l.Same("a", other); same != want || err != nil {
			t.Errorf("a and %s: %v, %v, want %v", other, same, err, want)
		}
	}
}

// TestBindEach holds that what is handed over in parts arrives as it would whole, also where a tensor is transposed in the file
// and so must come whole.
func TestBindEach(t *testing.T) {
	defer func(n int) { partLen = n }(partLen)
	s := headed(t, "table", []int{101, 8}, "wide", []int{70, 33}, "turned", []int{40, 50}, "along", []int{33, 40}, "bias", []int{5})
	l, err := s.Map(func(name string) (Place, bool) { return Place{Param: name, Transpose: name == "turned"}, true })
	if err != nil {
		t.Fatal(err)
	}
	load := func() (nn.Params, nn.Params) {
		whole := nn.Params{param("table", 101, 8), param("wide", 70, 33), param("turned", 50, 40), param("along", 33, 40), param("bias", 5)}
		if err := l.Bind(whole); err != nil {
			t.Fatal(err)
		}
		parts := nn.Params{param("table", 101, 8), param("wide", 70, 33), param("turned", 50, 40), param("along", 33, 40), param("bias", 5)}
		operands := map[*nn.Param]bool{parts[0]: true, parts[1]: true, parts[2]: true, parts[3]: false}
		if err := l.BindEach(parts, nn.TakenBy(nn.NewCPU(nn.Float32), operands)); err != nil {
			t.Fatal(err)
		}
		return whole, parts
	}
	for _, n := range []int{1, 300, 1 << 20} {
		partLen = n
		whole, parts := load()
		for i, p := range parts[:3] {
			got := make([]float32, size(p))
			if err := p.Rows(got, 0); err != nil || !slices.Equal(got, whole[i].Data) {
				t.Errorf("parts of %d: %s arrives changed (%v)", n, p.Name, err)
			}
			if p.Data != nil || p.Version() == 0 {
				t.Errorf("parts of %d: %s stays on the host, or is as it was", n, p.Name)
			}
		}
		if parts[3].Data != nil || !slices.Equal(parts[4].Data, whole[4].Data) {
			t.Errorf("parts of %d: the wrong ones stay", n)
		}
	}
}
