package weights

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// safetensorsFile spells a file out: header length, header, data.
func safetensorsFile(header string, data ...byte) []byte {
	return append(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...), data...)
}

func openBytes(name string, b []byte) (*Store, error) {
	return OpenReader(name, bytes.NewReader(b), int64(len(b)))
}

func TestSafetensors(t *testing.T) {
	data := make([]byte, 0, 24)
	for _, f := range []float32{1, -2, 0.5, 7} {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(f))
	}
	data = append(data, 0x00, 0x3c, 0x00, 0xc0) // 1, -2 as float16
	file := safetensorsFile(`{"__metadata__":{"format":"pt"},"b":{"dtype":"F16","shape":[2],"data_offsets":[16,20]},"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},"none":{"dtype":"I8","shape":[0,3],"data_offsets":[16,16]}}`, data...)
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := os.WriteFile(path, file, 0o666); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, path)
	if s.Metadata["format"] != "pt" || len(s.Tensors()) != 3 || s.Tensor("c") != nil {
		t.Errorf("metadata %v, %d tensors", s.Metadata, len(s.Tensors()))
	}
	a, err := s.Tensor("a").Float32s()
	if err != nil || !slices.Equal(a, []float32{1, -2, 0.5, 7}) {
		t.Errorf("a = %v, %v", a, err)
	}
	at, err := s.Tensor("a").Transposed()
	if err != nil {
		t.Fatal(err)
	}
	if a, err := at.Float32s(); err != nil || !slices.Equal(a, []float32{1, 0.5, -2, 7}) {
		t.Errorf("a transposed = %v, %v", a, err)
	}
	if b, err := s.Tensor("b").Float32s(); err != nil || !slices.Equal(b, []float32{1, -2}) {
		t.Errorf("b = %v, %v", b, err)
	}
	if n, err := s.Tensor("none").Float32s(); err != nil || len(n) != 0 {
		t.Errorf("none = %v, %v", n, err)
	}
	if err := s.Tensor("a").ReadInt64(make([]int64, 4)); err == nil {
		t.Error("floats were read as integers")
	}
	if err := s.Tensor("a").ReadFloat32(make([]float32, 3)); err == nil {
		t.Error("4 numbers were read into 3")
	}
}

// TestView: in place where the numbers are aligned, by copy where not, and the same either way.
func TestView(t *testing.T) {
	for pad := range 9 {
		header := `{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}` + strings.Repeat(" ", pad)
		path := filepath.Join(t.TempDir(), "x.safetensors")
		if err := os.WriteFile(path, safetensorsFile(header, 0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64), 0o666); err != nil {
			t.Fatal(err)
		}
		a := mustOpen(t, path).Tensor("a")
		view, ok := a.View()
		if aligned := (8+len(header))%4 == 0; ok && !aligned {
			t.Errorf("header of %d bytes: a view of numbers that are not aligned", len(header))
		}
		read, err := a.Float32s()
		if err != nil || !slices.Equal(read, []float32{1, 2, 3}) || ok && !slices.Equal(view, read) {
			t.Errorf("header of %d bytes: view %v, read %v, %v", len(header), view, read, err)
		}
	}
}

func TestNPY(t *testing.T) {
	file := func(version byte, dict string, data ...byte) []byte {
		b := append([]byte("\x93NUMPY"), version, 0)
		if version == 1 {
			b = binary.LittleEndian.AppendUint16(b, uint16(len(dict)))
		} else {
			b = binary.LittleEndian.AppendUint32(b, uint32(len(dict)))
		}
		return append(append(b, dict...), data...)
	}
	for _, c := range []struct {
		what string
		file []byte
		want []float32
		bad  string
	}{
		{"u1", file(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }\n", 1, 2, 3, 4, 5, 6), []float32{1, 2, 3, 4, 5, 6}, ""},
		{"Fortran order", file(1, "{'descr': '|i1', 'fortran_order': True, 'shape': (2, 3), }\n", 1, 4, 2, 5, 3, 0xfa), []float32{1, 2, 3, 4, 5, -6}, ""},
		{"version 2, big-endian", file(2, "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", 63, 128, 0, 0), []float32{1}, ""},
		{"float16, scalar", file(1, "{'descr': '<f2', 'fortran_order': False, 'shape': (), }", 0, 60), []float32{1}, ""},
		{"bool", file(3, "{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }", 0, 1), []float32{0, 1}, ""},
		{"no rows", file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 512), }"), []float32{}, ""},
		{"too short", file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 0, 0, 0, 0), nil, "needs"},
		{"objects", file(1, "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 0), nil, "plain number"},
		{"complex", file(1, "{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", 0), nil, "not read"},
		{"negative size", file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", 0), nil, "shape"},
		{"too large", file(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999, 9999999999), }", 0), nil, "too large"},
		{"header too long", file(2, strings.Repeat(" ", 1<<17)), nil, "more than"},
		{"version 9", file(9, "{}"), nil, "version 9"},
	} {
		s, err := openBytes("x.npy", c.file)
		if c.bad != "" {
			if err == nil || !strings.Contains(err.Error(), c.bad) || !strings.Contains(err.Error(), "x.npy") {
				t.Errorf("%s: error %v, want one with %q", c.what, err, c.bad)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if got, err := s.Tensor("array").Float32s(); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v, want %v", c.what, got, err, c.want)
		}
	}
}

func TestRefusedByContent(t *testing.T) {
	for _, c := range []struct{ content, want string }{
		{"", "empty"},
		{"\n<!DOCTYPE html><html>", "web page"},
		{"<html lang=en>", "web page"},
		{"version https://git-lfs.github.com/spec/v1\noid sha256:0", "Git LFS"},
		{"\x1f\x8b\x08", "gzip"},
		{"PK\x03\x04 and no more", "zip archive"},
		{"plain text", "opcode"},
		{`{"a": 1}`, "index"},
	} {
		_, err := openBytes("some.bin", []byte(c.content))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "some.bin:") {
			t.Errorf("%q: error %v, want one that names the file and has %q", c.content, err, c.want)
		}
	}
	if _, err := openBytes("notes.txt", []byte("plain text")); err == nil || !strings.Contains(err.Error(), "not a format") {
		t.Errorf("text file: %v", err)
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "model.safetensors") {
		t.Errorf("empty folder: %v", err)
	}
}

func TestShardsThatDoNotFit(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("one.safetensors", string(safetensorsFile(`{"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]}}`, 5)))
	for index, want := range map[string]string{
		`{"weight_map":{"b":"one.safetensors"}}`:                       "lacks tensor",
		`{"weight_map":{"a":"two.safetensors"}}`:                       "missing",
		`{"weight_map":{"a":"../one.safetensors"}}`:                    "own folder",
		`{"weight_map":{"a":"i.json"}}`:                                "not a file of tensors",
		`{"weight_map":{"a":"one.safetensors","a":"one.safetensors"}}`: "twice",
		`{"weight_map":{"a":7}}`:                                       "weight_map",
		`{"weight_map":["a"]}`:                                         "object",
		`{"map":{}}`:                                                   "weight_map",
		`{"weight_map":{"a":"one.safetensors"}`:                        "index",
	} {
		write("i.json", index)
		if s, err := Open(filepath.Join(dir, "i.json")); err == nil {
			s.Close()
			t.Errorf("%s was opened", index)
		} else if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "i.json") {
			t.Errorf("%s: error %v, want %q", index, err, want)
		}
	}
	write("i.json", `{"metadata":{},"weight_map":{"a":"one.safetensors"}}`)
	if a, err := mustOpen(t, filepath.Join(dir, "i.json")).Tensor("a").Float32s(); err != nil || a[0] != 5 {
		t.Errorf("a = %v, %v", a, err)
	}
}
