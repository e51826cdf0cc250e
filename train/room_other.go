//go:build !linux && !darwin

package train

// freeBytes is not known.
func freeBytes(string) (int64, bool) { return 0, false }
