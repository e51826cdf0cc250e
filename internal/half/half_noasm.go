//go:build !amd64 || noasm

package half

func best() Vectors { return None }

// convertArch converts a leading part and returns its length; here nothing.
func convertArch(conversion, []uint16, []float32) int { return 0 }
