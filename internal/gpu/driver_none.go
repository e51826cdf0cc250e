//go:build !gpu

package gpu

import "errors"

// OpenCUDA fails: the code that talks to CUDA is in builds with the tag gpu alone.
func OpenCUDA(int) (Driver, error) {
	return nil, errors.New("this program was built without CUDA; scripts/gpu-build.sh builds it with (tag gpu)")
}
