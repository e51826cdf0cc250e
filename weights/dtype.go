package weights

import "fmt"

// DType is the type of a tensor's numbers as they are stored.
type DType uint8

// The types, named as safetensors names them.
const (
	F64 DType = iota + 1
	F32
	F16  // IEEE 754 binary16
	BF16 // the upper half of a float32
	I64
	I32
	I16
	I8
	U8
	Bool // one byte, 0 or 1
)

var dtypes = [...]struct {
	name string
	size int
}{
	F64: {"F64", 8}, F32: {"F32", 4}, F16: {"F16", 2}, BF16: {"BF16", 2},
	I64: {"I64", 8}, I32: {"I32", 4}, I16: {"I16", 2}, I8: {"I8", 1}, U8: {"U8", 1}, Bool: {"BOOL", 1},
}

// String is the name safetensors uses: F32, BF16, BOOL, ….
func (d DType) String() string {
	if int(d) < len(dtypes) && d != 0 {
		return dtypes[d].name
	}
	return fmt.Sprintf("DType(%d)", uint8(d))
}

// Size is the number of bytes of one number.
func (d DType) Size() int { return dtypes[d].size }

// Float tells floating-point types from integers and booleans.
func (d DType) Float() bool { return d >= F64 && d <= BF16 }

// ParseDType is the inverse of String.
func ParseDType(name string) (DType, error) {
	for d := F64; d <= Bool; d++ {
		if dtypes[d].name == name {
			return d, nil
		}
	}
	return 0, fmt.Errorf("unknown dtype %q", name)
}
