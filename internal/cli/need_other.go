//go:build !unix

package cli

// writable knows nothing here: writing shows it.
func writable(string) error { return nil }

// notFolder tells nothing here: such a path does not exist.
func notFolder(error) bool { return false }
