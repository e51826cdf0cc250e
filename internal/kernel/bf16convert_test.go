package kernel

import (
	"testing"

	"github.com/clipcap-go/clipcap/internal/half"
)

// Pieces that several workers convert are together what one number after the other is; package half's tests have the rest.
func TestConvertInPieces(t *testing.T) {
	for _, n := range []int{0, 1, 31, convertPiece - 1, convertPiece, convertPiece + 1, 3*convertPiece + 17} {
		src := make([]float32, n)
		for i := range src {
			src[i] = float32(i%1009)*0.37 - 99
		}
		narrow, wide := make([]uint16, n+1), make([]float32, n+1)
		narrow[n], wide[n] = 0x5aa5, 0x5aa5
		F32ToBF16(narrow[:n], src)
		BF16ToF32(wide[:n], narrow[:n])
		for i, x := range src {
			if want := half.ToBF16(x); narrow[i] != want || wide[i] != half.OfBF16(want) {
				t.Fatalf("n=%d: number %d is %#x, %v", n, i, narrow[i], wide[i])
			}
		}
		if narrow[n] != 0x5aa5 || wide[n] != 0x5aa5 {
			t.Fatalf("n=%d: wrote outside dst", n)
		}
	}
}

// CLIPCAP_CPU holds for the conversions too.
func TestVectorsOf(t *testing.T) {
	for i, want := range map[ISA]half.Vectors{Generic: half.None, AVX2: half.Eight, AVX512: half.Sixteen, AMX: half.Sixteen} {
		if got := vectorsOf(i); got != want {
			t.Errorf("%s: %d, want %d", i, got, want)
		}
	}
}

func TestConvertAllocatesNothing(t *testing.T) {
	x, h := make([]float32, 4*convertPiece), make([]uint16, 4*convertPiece)
	if n := testing.AllocsPerRun(20, func() { F32ToBF16(h, x); BF16ToF32(x, h) }); n != 0 {
		t.Errorf("%v allocations a run", n)
	}
}
