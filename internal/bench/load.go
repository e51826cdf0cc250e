package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/clipcap-go/clipcap/internal/gpu"
	"github.com/clipcap-go/clipcap/internal/gpu/ptxsim"
)

// load opens GPU number n, or with -small the simulated one, and prints how long opening it, making its kernels and finding cuBLASLt takes: the
// driver translates their text the first time, and finds what it made of it in its cache (CUDA_CACHE_PATH) afterwards.
func load(n int, w io.Writer) error {
	start := time.Now()
	driver := gpu.Driver(ptxsim.NewDriver(1 << 20))
	if !small {
		var err error
		if driver, err = gpu.OpenCUDA(n); err != nil {
			return err
		}
	}
	opened := time.Since(start)
	start = time.Now()
	d, err := gpu.NewDevice(driver)
	if err != nil {
		return err
	}
	loaded := time.Since(start)
	start = time.Now()
	blas := "cuBLASLt"
	if err := d.UseGemm("cublas"); err != nil {
		blas = "no " + blas + " (" + strings.ReplaceAll(err.Error(), "\n", "; ") + ")"
	}
	i := d.Info()
	_, err = fmt.Fprintf(w, "%s, compute capability %d.%d, driver %d: opened in %.2f s, %d KB of PTX with %d kernels loaded in %.2f s, %s in %.2f s\n",
		i.Name, i.Compute/10, i.Compute%10, i.Version, opened.Seconds(), len(gpu.PTX())/1000, len(gpu.Kernels()), loaded.Seconds(), blas, time.Since(start).Seconds())
	if e := d.Close(); err == nil {
		err = e
	}
	return err
}
