package nn

import (
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/gpu"
)

func TestParseDevice(t *testing.T) {
	for name, want := range map[string]string{"cpu": "cpu", "cuda": "cuda:0", "cuda:3": "cuda:3", "auto": "auto"} {
		if d, err := ParseDevice(name); err != nil || d.String() != want {
			t.Errorf("%s: %v, %v", name, d, err)
		}
	}
	for _, name := range []string{"", "gpu", "cuda:", "cuda:-1", "cuda:x", "cuda:99999999999999999999", "CPU"} {
		if _, err := ParseDevice(name); err == nil || !strings.Contains(err.Error(), "cuda:N") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// Where there is no GPU auto is the CPU, and cuda tells what is missing.
func TestDeviceWithoutGPU(t *testing.T) {
	if _, err := gpu.OpenCUDA(0); err == nil {
		t.Skip("there is a GPU")
	}
	auto, err := ParseDevice("auto")
	if err != nil {
		t.Fatal(err)
	}
	if be, err := auto.Open(Float32); err != nil || be.Name() != "cpu" {
		t.Errorf("%v, %v", be, err)
	}
	cuda, err := ParseDevice("cuda:1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cuda.Open(Float32); err == nil || !strings.Contains(err.Error(), "device cuda:1: ") {
		t.Errorf("%v", err)
	}
}
