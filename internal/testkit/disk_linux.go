package testkit

import (
	"fmt"
	"syscall"
	"testing"
)

// SmallDisk mounts a file system of a few bytes, a whole number of pages, in a new folder, and skips the test where that is not allowed. enlarge
// gives it another size.
func SmallDisk(t testing.TB, bytes int64) (dir string, enlarge func(bytes int64)) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", bytes)); err != nil {
		t.Skipf("no small disk: mounting one takes root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir, func(bytes int64) {
		t.Helper()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", bytes)); err != nil {
			t.Fatal(err)
		}
	}
}
