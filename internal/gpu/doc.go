// Package gpu runs the framework's kernels on NVIDIA GPUs: what package kernel is for the processor's cores, this is for a
// device. It knows no graph, no model and no file.
//
// The kernels are CUDA C in the folder kernels, compiled ahead to the PTX that lies beside this file (make ptx) and loaded by
// the driver, which translates it for the GPU at hand. A Device plans launches; what it needs of CUDA is the small interface
// Driver, of which there are three: the one on gorgonia.org/cu behind the build tag gpu, a Recorder, and the simulated
// device of the package ptxsim, on which every kernel is tested where there is no GPU.
//
// A Device queues launches and hands them over in one go. A sequence of launches that comes again and again, such as the
// step of a training run, is captured as a CUDA graph and replayed with one call.
package gpu
