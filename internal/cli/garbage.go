package cli

import (
	"os"
	"runtime"
	"runtime/debug"
)

// garbage is how much memory may wait for the garbage collector once a command's models are loaded.
const garbage = 8 << 20

// BoundGarbage is for when a command has loaded what stays: by itself the heap may grow to twice that before anything is
// collected, which for models of a gigabyte is a gigabyte. Weights hold no pointers, so a collection costs a millisecond or
// two however much of them there is. Whoever sets GOGC has the last word.
func BoundGarbage() {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	if share := 100 * garbage / max(1, m.HeapAlloc); share < 100 {
		debug.SetGCPercent(int(max(1, share)))
	}
}
