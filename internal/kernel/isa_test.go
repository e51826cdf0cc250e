package kernel

import "testing"

// eachISA runs test once with every instruction set this processor has in use.
func eachISA(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	defer func(old ISA) { isa = old }(isa)
	for i := Generic; i <= bestISA(); i++ {
		t.Run(i.String(), func(t *testing.T) {
			isa = i
			test(t)
		})
	}
}
