package gpu

// SetLargeTiles makes products use large tiles from so many on, for the rest of a test.
func SetLargeTiles(n int) (restore func()) {
	old := largeTiles
	largeTiles = n
	return func() { largeTiles = old }
}
