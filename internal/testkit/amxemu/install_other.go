//go:build !linux || !amd64 || noasm || race

package amxemu

// Install makes AMX instructions work in this process and tells whether it could; here it cannot.
func Install() bool { return false }

// Count is how many instructions have been carried out so far: none.
func Count() uint64 { return 0 }
