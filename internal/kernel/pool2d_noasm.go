package kernel

func poolMeanArch(y, x []float32, stride, k int, share float32) bool { return false }

func poolScaleArch(y, x []float32, share float32) bool { return false }
