package ptxsim

import (
	"fmt"
	"os"
	"strconv"
	"sync"

	"github.com/clipcap-go/clipcap/internal/gpu"
)

// Open is the device that tests run on: a simulated one with so many bytes, or the GPU whose number the variable
// CLIPCAP_CUDA gives, in builds that have CUDA.
func Open(bytes int) (gpu.Driver, error) {
	number := os.Getenv("CLIPCAP_CUDA")
	if number == "" {
		return NewDriver(bytes), nil
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		return nil, fmt.Errorf("CLIPCAP_CUDA=%s: want the number of a GPU", number)
	}
	// One driver stays open, and the context with it, which takes a while to make.
	keep.Do(func() { _, keepErr = gpu.OpenCUDA(n) })
	if keepErr != nil {
		return nil, keepErr
	}
	return gpu.OpenCUDA(n)
}

var (
	keep    sync.Once
	keepErr error
)

// Real tells whether Open gives a GPU.
func Real() bool { return os.Getenv("CLIPCAP_CUDA") != "" }
