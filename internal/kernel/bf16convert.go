package kernel

import (
	"sync"

	"github.com/clipcap-go/clipcap/internal/half"
)

// F32ToBF16 is half.NarrowBF16 spread over the workers. dst must be as long as src.
func F32ToBF16(dst []uint16, src []float32) { runConvert(toBF16, dst[:len(src)], src) }

// BF16ToF32 is half.WidenBF16 spread over the workers. dst must be as long as src.
func BF16ToF32(dst []float32, src []uint16) { runConvert(fromBF16, src, dst[:len(src)]) }

// bf16Of is x rounded to bfloat16: to nearest with ties to even.
func bf16Of(x float32) uint16 { return half.ToBF16(x) }

// f32OfBF16 widens a bfloat16; exact.
func f32OfBF16(h uint16) float32 { return half.OfBF16(h) }

// roundBF16 is x rounded to bfloat16 and widened again.
func roundBF16(x float32) float32 { return half.OfBF16(half.ToBF16(x)) }

// The conversions keep to the instruction set that the kernels keep to.
func init() { half.Limit(vectorsOf(isa)) }

func vectorsOf(i ISA) half.Vectors {
	switch {
	case i >= AVX512:
		return half.Sixteen
	case i == AVX2:
		return half.Eight
	}
	return half.None
}

type conversion uint8

const (
	toBF16 conversion = iota
	fromBF16
)

// convertPiece is how many elements one piece of a long conversion has: enough to pay for handing
// it over, and few enough that it stays in the second-level cache.
const convertPiece = 1 << 15

// convertJob converts half to wide or back; both have the same length.
type convertJob struct {
	kind conversion
	half []uint16
	wide []float32
}

// Do converts piece i.
func (j *convertJob) Do(i int) {
	lo := i * convertPiece
	hi := min(lo+convertPiece, len(j.wide))
	if narrow, wide := j.half[lo:hi], j.wide[lo:hi]; j.kind == toBF16 {
		half.NarrowBF16(narrow, wide)
	} else {
		half.WidenBF16(wide, narrow)
	}
}

var convertJobs = sync.Pool{New: func() any { return new(convertJob) }}

func runConvert(kind conversion, half []uint16, wide []float32) {
	j := convertJobs.Get().(*convertJob)
	*j = convertJob{kind, half, wide}
	Run((len(wide)+convertPiece-1)/convertPiece, j)
	*j = convertJob{}
	convertJobs.Put(j)
}
