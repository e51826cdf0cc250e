//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package files

import "os"

// lock knows nothing here: all have the file.
func lock(*os.File) error { return nil }
