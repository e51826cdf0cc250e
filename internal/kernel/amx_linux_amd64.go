//go:build amd64 && !noasm

package kernel

// requestTiles asks Linux to let this process use the AMX tile registers; 0 means yes.
func requestTiles() int

// amxPermitted asks for the tiles, once, while the package is initialised: the permission
// belongs to the process and every thread started later inherits it.
func amxPermitted() bool { return requestTiles() == 0 }
