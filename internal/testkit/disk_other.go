//go:build !linux

package testkit

import "testing"

// SmallDisk skips the test: only Linux makes small disks from memory here.
func SmallDisk(t testing.TB, bytes int64) (dir string, enlarge func(bytes int64)) {
	t.Skip("no small disk: it takes Linux's tmpfs")
	return "", nil
}
