//go:build amd64 && !noasm

package kernel

// pause tells the processor that this is a waiting loop.
func pause()
