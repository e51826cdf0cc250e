//go:build !amd64 || noasm

package kernel

func addArch(dst, a, b []float32) bool { return false }

func joinArch(dst, x, a, b []float32, floor float32) bool { return false }

func scaleArch(dst, x []float32, s float32) bool { return false }

func mulSubArch(dx, dy, y []float32, s float32) bool { return false }

func rejectArch(dx, dy, y []float32, s, r float32) bool { return false }

func dotArch(x, y []float32) (float32, bool) { return 0, false }
