//go:build amd64 && !noasm && !linux

package kernel

// amxPermitted is false away from Linux: only Linux's way of asking for the tiles is implemented.
func amxPermitted() bool { return false }
