package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// call runs the command and gives its exit status and what it printed.
func call(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = program.Run(t.Context(), args, &out, &errs)
	return status, out.String(), errs.String()
}

// sample writes a safetensors file of two tensors.
func sample(t *testing.T) string {
	t.Helper()
	header := `{"w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},"b\u001b[2J":{"dtype":"BF16","shape":[],"data_offsets":[8,10]}}`
	b := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	b = append(b, 0, 0, 0x80, 0x3f, 0, 0, 0, 0x40, 0x80, 0x3f)
	path := filepath.Join(t.TempDir(), "sample.safetensors")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExitStatus(t *testing.T) {
	good := sample(t)
	for _, c := range []struct {
		args   []string
		status int
		want   string // in what was printed
	}{
		{[]string{"--help"}, 0, "Example:"},
		{[]string{"--version"}, 0, "clipcap-weights "},
		{[]string{"inspect", "--help"}, 0, "Example:"},
		{[]string{"inspect", good}, 0, "2 tensors"},
		{nil, 2, "say what to do"},
		{[]string{"inspct"}, 2, "inspct"},
		{[]string{"inspect"}, 2, "one file"},
		{[]string{"inspect", "--jsn", good}, 2, "jsn"},
		{[]string{"inspect", good, good}, 2, "one file"},
		{[]string{"inspect", good + ".not"}, 1, "sample.safetensors.not"},
	} {
		status, out, errs := call(t, c.args...)
		if status != c.status || !strings.Contains(out+errs, c.want) {
			t.Errorf("%q: exit %d, printed %q, want %d and %q", c.args, status, out+errs, c.status, c.want)
		}
	}
}

func TestInspect(t *testing.T) {
	path := sample(t)
	for _, args := range [][]string{{"inspect", "--json", path}, {"inspect", path, "--json"}} {
		_, out, errs := call(t, args...)
		var got description
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("%v: %s%s", err, out, errs)
		}
		if len(got.Tensors) != 2 || got.Tensors[0].Name != "w" || got.Tensors[0].DType != "F32" || got.Tensors[1].DType != "BF16" || got.Tensors[1].Shape == nil {
			t.Errorf("%v: %s", args, out)
		}
	}
	if _, out, _ := call(t, "inspect", path); strings.Contains(out, "\x1b") {
		t.Errorf("a name's control characters reached the terminal: %q", out)
	}
}
