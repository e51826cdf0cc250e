//go:build !amd64 || noasm

package kernel

import "runtime"

// pause lets other goroutines run in a waiting loop.
func pause() { runtime.Gosched() }
