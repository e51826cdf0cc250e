package gpu

import "testing"

// SetLargeTiles makes products use large tiles from so many on, for the rest of a test, which may end or be skipped anywhere.
func SetLargeTiles(t testing.TB, n int) {
	old := largeTiles
	largeTiles = n
	t.Cleanup(func() { largeTiles = old })
}
