package kernel

import (
	"fmt"
	"os"
)

// Precision says how exactly a matrix product is computed. The names are those of PyTorch's matmul
// precision; float32 accumulates all three.
type Precision int

// The precisions. High and BFloat16 are what a processor makes fast: High is plain float32 where
// there are no AMX tiles.
const (
	Float32  Precision = iota // float32's own error
	High                      // three bfloat16 products of the high and low halves: error below 1e-6 of |row|·|column|
	BFloat16                  // operands rounded to bfloat16: error about 3e-4 of |row|·|column|
)

var precisionNames = [...]string{"float32", "high", "bfloat16"}

// String is the name ParsePrecision takes.
func (p Precision) String() string { return precisionNames[p] }

// ParsePrecision is the precision called name: float32, high or bfloat16.
func ParsePrecision(name string) (Precision, error) {
	for i, n := range precisionNames {
		if n == name {
			return Precision(i), nil
		}
	}
	return 0, fmt.Errorf("precision %q: want float32, high or bfloat16", name)
}

// Format is how the right operand of a product is stored, and with that how the product is computed.
type Format int

// The formats. In the bfloat16 ones without W both operands are split into the given number of
// bfloat16 planes, whose sum is the operand to 8, 16 or 24 bits.
const (
	F32    Format = iota // float32
	BF16                 // one plane, one product
	BF16x2               // two planes, three products
	BF16x3               // three planes, six products
	BF16W                // bfloat16 right operand, float32 left operand: half the memory to stream
	Int8                 // int8 right operand with a scale a column, float32 left operand
)

var formatNames = [...]string{"f32", "bf16", "bf16x2", "bf16x3", "bf16w", "int8"}

// String names f.
func (f Format) String() string { return formatNames[f] }

// planes is how many bfloat16 planes f has.
func (f Format) planes() int {
	switch f {
	case BF16, BF16W:
		return 1
	case BF16x2:
		return 2
	case BF16x3:
		return 3
	}
	return 0
}

// Size is how many bytes an element takes.
func (f Format) Size() int {
	switch q := f.planes(); {
	case q > 0:
		return 2 * q
	case f == Int8:
		return 1
	}
	return 4
}

// Exact tells whether an operand of the format has float32's numbers, but for those below 1e-30.
func (f Format) Exact() bool { return f == F32 || f == BF16x3 }

// splitHigh computes High as three products on any processor, slower than float32 where there is no AMX: to see there what that
// arithmetic does to a training.
var splitHigh, splitError = chooseSplit(os.Getenv("CLIPCAP_HIGH"))

func chooseSplit(name string) (bool, error) {
	if name != "" && name != "split" {
		return false, fmt.Errorf("CLIPCAP_HIGH=%s: want split, or nothing", name)
	}
	return name != "", nil
}

// FormatFor is the format that gives a product precision p fastest on this processor.
func FormatFor(p Precision) Format {
	switch {
	case p == BFloat16:
		return BF16
	case p == High && (splitHigh || isa == AMX):
		return BF16x2
	case isa < AMX:
		return F32
	}
	return BF16x3
}
