package nn

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/clipcap-go/clipcap/internal/gpu"
)

// Device says where graphs run: the zero Device is the CPU.
type Device struct {
	cuda, auto bool
	n          int
	gemm       string // what computes products on a GPU, "": auto
}

// Devices is what ParseDevice takes, for the help of commands.
const Devices = "cpu, cuda, cuda:N or auto"

// Gemms is what ParseGemm takes, for the help of commands.
const Gemms = gpu.Gemms

// ParseGemm is ParseDevice for a GPU whose products are computed by auto (cuBLASLt for large ones where it is present), ptx (our own
// kernels) or cublas (cuBLASLt wherever it can).
func ParseGemm(name, gemm string) (Device, error) {
	d, err := ParseDevice(name)
	if err != nil {
		return d, err
	}
	switch gemm {
	case "auto", "ptx", "cublas":
	default:
		return d, fmt.Errorf("gemm %q: want %s", gemm, Gemms)
	}
	if d.cuda {
		d.gemm = gemm
	} else if gemm == "ptx" || gemm == "cublas" {
		return d, fmt.Errorf("gemm %s is for GPUs, the device is %s", gemm, d)
	}
	return d, nil
}

// ParseDevice reads cpu, cuda (the first GPU), cuda:N, or auto: the first GPU if there is one, else the CPU.
func ParseDevice(name string) (Device, error) {
	switch number, isNumber := strings.CutPrefix(name, "cuda:"); {
	case name == "cpu":
		return Device{}, nil
	case name == "auto":
		return Device{cuda: true, auto: true}, nil
	case name == "cuda":
		return Device{cuda: true}, nil
	case isNumber:
		if n, err := strconv.Atoi(number); err == nil && n >= 0 && n < 1024 {
			return Device{cuda: true, n: n}, nil
		}
	}
	return Device{}, fmt.Errorf("device %q: want %s", name, Devices)
}

// String is the name ParseDevice takes.
func (d Device) String() string {
	switch {
	case d.auto:
		return "auto"
	case d.cuda:
		return fmt.Sprintf("cuda:%d", d.n)
	}
	return "cpu"
}

// gpus are the GPU backends in use, since weights that two parts of a program share need be uploaded only once.
var gpus struct {
	sync.Mutex
	open map[gpuKey]*GPU
}

type gpuKey struct {
	n    int
	p    Precision
	w    WeightFormat
	gemm string
}

// Open is the backend of a device. GPU backends are shared by all who open the same one with the same precision and format of weights, and
// stay open while the program runs.
func (d Device) Open(p Precision) (Backend, error) { return d.OpenWeights(p, WeightsByPrecision) }

// OpenInference is Open for what only reads its weights. In float32 it keeps them as such: six products of AMX tiles are for whole batches of
// images no faster than plain float32, for one image half as fast, and their weights take half as much memory again.
func (d Device) OpenInference(p Precision) (Backend, error) {
	if p == Float32 {
		return d.OpenWeights(p, WeightsFloat32)
	}
	return d.Open(p)
}

// OpenWeights is Open for decoding, with weights in a format of their own.
func (d Device) OpenWeights(p Precision, w WeightFormat) (Backend, error) {
	if !d.cuda {
		return NewCPUWeights(p, w), nil
	}
	g, err := d.gpu(p, w)
	if err != nil && d.auto {
		return NewCPUWeights(p, w), nil
	}
	if err != nil {
		return nil, fmt.Errorf("device %s: %w", d, err)
	}
	return g, nil
}

// gpu is the shared backend of a GPU for a precision and a form of weights, opened at the first call.
func (d Device) gpu(p Precision, w WeightFormat) (*GPU, error) {
	if p == BFloat16 && w == WeightsBFloat16 || p != BFloat16 && w == WeightsFloat32 {
		w = WeightsByPrecision // what that is, so that parts of a program share a backend
	}
	gpus.Lock()
	defer gpus.Unlock()
	key := gpuKey{d.n, p, w, d.gemm}
	if g := gpus.open[key]; g != nil {
		return g, nil
	}
	driver, err := gpu.OpenCUDA(d.n)
	if err != nil {
		return nil, err
	}
	dev, err := gpu.NewDevice(driver)
	if err != nil {
		return nil, err
	}
	gemm := d.gemm
	if gemm == "" {
		gemm = "auto"
	}
	if err := dev.UseGemm(gemm); err != nil {
		return nil, errors.Join(err, dev.Close())
	}
	if gpus.open == nil {
		gpus.open = map[gpuKey]*GPU{}
	}
	g := NewGPUWeights(dev, fmt.Sprintf("cuda:%d", d.n), p, w)
	gpus.open[key] = g
	return g, nil
}
