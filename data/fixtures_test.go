package data

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// npy writes a float32 matrix as NumPy does.
func npy(t *testing.T, path string, rows, dim int, f func(i, j int) float32) string {
	t.Helper()
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", rows, dim)
	header += strings.Repeat(" ", 63-(10+len(header))%64) + "\n"
	b := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header)))
	b = append(b, header...)
	for i := range rows {
		for j := range dim {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(f(i, j)))
		}
	}
	return file(t, path, string(b))
}

func file(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func plain(i, j int) float32 { return float32(100*i + j) }

// letters encodes a text as one token a byte, "!" as 0 like GPT-2's.
func letters(dst []int32, text string) []int32 {
	for i := range len(text) {
		if text[i] == '!' {
			dst = append(dst, 0)
		} else {
			dst = append(dst, int32(text[i]))
		}
	}
	return dst
}

// load makes a set of rows features and the given JSON lines.
func load(t *testing.T, rows int, cfg Config, lines ...string) (*Captions, error) {
	t.Helper()
	dir := t.TempDir()
	f, err := OpenFeatures(npy(t, filepath.Join(dir, "x.npy"), rows, 3, plain))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	cfg.Captions = file(t, filepath.Join(dir, "c.jsonl"), strings.Join(lines, "\n"))
	cfg.Encode, cfg.Vocab = letters, 256
	return Load(f, cfg)
}
