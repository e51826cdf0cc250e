package gpu

import (
	_ "embed"
	"strings"
)

//go:embed kernels_sm80.ptx
var ptx string

// PTX is the text of the kernels, for devices of compute capability 8.0 and later.
func PTX() string { return ptx }

// Kernels are the names of the kernels in PTX and the number of their parameters.
func Kernels() map[string]int {
	all := map[string]int{}
	for _, entry := range strings.Split(ptx, ".visible .entry ")[1:] {
		name, rest, _ := strings.Cut(entry, "(")
		head, _, _ := strings.Cut(rest, ")")
		all[name] = strings.Count(head, ".param ")
	}
	return all
}
