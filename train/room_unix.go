//go:build linux || darwin

package train

import "syscall"

// freeBytes is what the file system of a folder has left for a user.
func freeBytes(dir string) (int64, bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
