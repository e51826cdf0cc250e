//go:build !amd64 || noasm

package kernel

// leftArch is how a Rounded lies where bfloat16 is multiplied.
type leftArch struct{}

func (r *Rounded) shapeArch() bool { return false }

func (r *Rounded) fillArch(Matrix, *Packed, *Epilogue) bool { return false }

func (r *Rounded) mulArch(Matrix, *Packed, *Epilogue) {}

func (r *Rounded) put(int, int, []float32) {}
