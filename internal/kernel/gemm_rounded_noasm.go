//go:build !amd64 || noasm

package kernel

import "unsafe"

// leftArch is how a Rounded lies where bfloat16 is multiplied: nowhere in this build, so that every Rounded is plain and what
// follows is never called.
type leftArch struct{}

func (r *Rounded) layArch() bool { return false }

func (r *Rounded) sizeArch() int { return 0 }

func (r *Rounded) liesArch() { r.left = leftArch{} }

func fillArch(dst *Rounded, a Matrix, rounded *Rounded, b *Packed, ep *Epilogue) bool { return false }

func mulArch(c Matrix, a *Rounded, b *Packed, ep *Epilogue) {}

func (r *Rounded) put(int, int, []float32) {}

func (r *Rounded) get([]float32, int, int) {}

func (f *finisher) roundRow(v []float32, i, j0, j1 int) bool { return false }

func (f *finisher) fetchRounded(i, rows, j int) {}

func (r *Rounded) at(i int) unsafe.Pointer { return nil }

func (r *Rounded) step() int { return 0 }

func (r *Rounded) sizeOfRow() int { return 0 }
