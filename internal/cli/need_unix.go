//go:build unix

package cli

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// writable asks the system whether files can be made in a folder, without making one.
func writable(dir string) error { return unix.Access(dir, unix.W_OK|unix.X_OK) }

// notFolder tells the error for a path that leads through a file.
func notFolder(err error) bool { return errors.Is(err, syscall.ENOTDIR) }
