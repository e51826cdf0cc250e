package weights

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
)

// The opcodes of pickle protocols 0 to 5 that files of tensors use (measured over files of PyTorch, TorchScript and ClipCap),
// with the three that only larger files need. The rest is refused, above all those that look up or build objects
// in another way: INST, OBJ, EXT1, EXT2, EXT4, NEWOBJ_EX.
const (
	opMark          = '('
	opStop          = '.'
	opNone          = 'N'
	opBinInt        = 'J'
	opBinInt1       = 'K'
	opBinInt2       = 'M'
	opBinFloat      = 'G'
	opBinUnicode    = 'X'
	opBinBytes      = 'B'
	opShortBinBytes = 'C'
	opEmptyDict     = '}'
	opEmptyList     = ']'
	opEmptyTuple    = ')'
	opTuple         = 't'
	opAppend        = 'a'
	opAppends       = 'e'
	opSetItem       = 's'
	opSetItems      = 'u'
	opBinPut        = 'q'
	opLongBinPut    = 'r'
	opBinGet        = 'h'
	opLongBinGet    = 'j'
	opGlobal        = 'c'
	opReduce        = 'R'
	opBuild         = 'b'
	opBinPersID     = 'Q'
	opProto         = 0x80
	opNewObj        = 0x81
	opTuple1        = 0x85
	opTuple2        = 0x86
	opTuple3        = 0x87
	opNewTrue       = 0x88
	opNewFalse      = 0x89
	opLong1         = 0x8a
	opLong4         = 0x8b
	opShortBinUni   = 0x8c
	opBinUnicode8   = 0x8d
	opBinBytes8     = 0x8e
	opEmptySet      = 0x8f
	opAddItems      = 0x90
	opStackGlobal   = 0x93
	opMemoize       = 0x94
	opFrame         = 0x95
	maxLongBytes    = 1 << 10 // of an integer: far above any size, id or time
	maxProtocol     = 5
	sparseMemoBase  = 1 << 16 // a memo index this far ahead of the rest goes into a map
)

// refused names the instructions that a reader of an error may want to look up.
var refused = map[byte]string{
	'i': "INST", 'o': "OBJ", 'P': "PERSID", 0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4", 0x92: "NEWOBJ_EX", 0x96: "BYTEARRAY8", 0x97: "NEXT_BUFFER",
}

// unpickler runs the instructions of one pickle. It knows no class: what a global means when it is called is
// decided by call, what a persistent id means by persistent; both refuse what they do not know.
type unpickler struct {
	cursor
	stack  []any
	memo   []any
	sparse map[uint32]any
	// persistent resolves BINPERSID; nil where the file kind has none.
	persistent func(id any) (any, error)
	depth      int // of pickles inside bytes of pickles
	spent      int64
}

// spend counts what a few instructions can ask for many times over: copies of a long text or list, a file inside the file read again.
// In files of PyTorch's each is used once, so that all of it together stays near the pickle's own size.
func (u *unpickler) spend(n int) error {
	if u.spent += int64(n); u.spent > 4*u.src.n+window {
		return errors.New("the same part is used again and again")
	}
	return nil
}

// load runs one pickle and returns its value; the cursor then stands behind its STOP.
func (u *unpickler) load() (any, error) {
	u.stack, u.memo, u.sparse = u.stack[:0], nil, nil
	for {
		start := u.at
		op, err := u.byte()
		if err != nil {
			return nil, fmt.Errorf("pickle: %w, before STOP", err)
		}
		if op == opStop {
			v, err := u.pop()
			if err == nil && len(u.stack) > 0 {
				err = fmt.Errorf("%d values too many on the stack", len(u.stack))
			}
			if err != nil {
				return nil, fmt.Errorf("pickle: STOP at byte %d: %w", start, err)
			}
			return v, nil
		}
		if err := u.step(op); err != nil {
			return nil, fmt.Errorf("pickle: opcode 0x%02x at byte %d: %w", op, start, err)
		}
	}
}

// step runs one instruction; each group of instructions has a function of its own.
func (u *unpickler) step(op byte) error {
	switch op {
	case opProto:
		v, err := u.byte()
		if err == nil && v > maxProtocol {
			err = fmt.Errorf("protocol %d, at most %d is read", v, maxProtocol)
		}
		return err
	case opFrame:
		n, err := u.u64()
		if err == nil && n > uint64(u.left()) {
			err = errShort
		}
		return err
	case opNone, opNewTrue, opNewFalse, opBinInt, opBinInt1, opBinInt2, opLong1, opLong4, opBinFloat:
		return u.scalar(op)
	case opBinUnicode, opShortBinUni, opBinUnicode8, opBinBytes, opShortBinBytes, opBinBytes8:
		return u.text8(op)
	case opMark, opEmptyTuple, opTuple, opTuple1, opTuple2, opTuple3, opEmptyList, opAppend, opAppends,
		opEmptyDict, opSetItem, opSetItems, opEmptySet, opAddItems:
		return u.collection(op)
	case opBinPut, opLongBinPut, opMemoize, opBinGet, opLongBinGet:
		return u.remember(op)
	case opGlobal, opStackGlobal, opReduce, opNewObj, opBuild, opBinPersID:
		return u.objects(op)
	}
	return fmt.Errorf("%s is not an instruction that files of tensors need: refused", cmp.Or(refused[op], "it"))
}

func (u *unpickler) push(v any) { u.stack = append(u.stack, v) }

var errStack = errors.New("the stack is empty")

func (u *unpickler) pop() (any, error) {
	if len(u.stack) == 0 {
		return nil, errStack
	}
	v := u.stack[len(u.stack)-1]
	if _, ok := v.(mark); ok {
		return nil, errors.New("a mark where a value is wanted")
	}
	u.stack = u.stack[:len(u.stack)-1]
	return v, nil
}

// popMark takes everything above the last mark, and the mark.
func (u *unpickler) popMark() ([]any, error) {
	for i := len(u.stack) - 1; i >= 0; i-- {
		if _, ok := u.stack[i].(mark); ok {
			items := slices.Clone(u.stack[i+1:])
			u.stack = u.stack[:i]
			return items, nil
		}
	}
	return nil, errors.New("no mark on the stack")
}

// scalar pushes None, a boolean or a number.
func (u *unpickler) scalar(op byte) error {
	switch op {
	case opNone:
		u.push(nil)
	case opNewTrue, opNewFalse:
		u.push(op == opNewTrue)
	case opBinInt1:
		v, err := u.byte()
		u.push(int64(v))
		return err
	case opBinInt2:
		v, err := u.u16()
		u.push(int64(v))
		return err
	case opBinInt:
		v, err := u.u32()
		u.push(int64(int32(v)))
		return err
	case opBinFloat:
		p, err := u.take(8)
		if err != nil {
			return err
		}
		u.push(math.Float64frombits(binary.BigEndian.Uint64(p)))
	case opLong1:
		n, err := u.byte()
		if err != nil {
			return err
		}
		return u.long(int64(n))
	case opLong4:
		n, err := u.u32()
		if err != nil {
			return err
		}
		return u.long(int64(int32(n)))
	}
	return nil
}

// long reads a two's-complement little-endian integer of n bytes.
func (u *unpickler) long(n int64) error {
	if n < 0 || n > maxLongBytes {
		return fmt.Errorf("an integer of %d bytes", n)
	}
	p, err := u.take(n)
	if err != nil {
		return err
	}
	if n <= 8 {
		var v uint64
		for i, b := range p {
			v |= uint64(b) << (8 * i)
		}
		shift := 64 - 8*uint(n)
		u.push(int64(v<<shift) >> shift)
		return nil
	}
	be := slices.Clone(p)
	slices.Reverse(be)
	v := new(big.Int).SetBytes(be)
	if be[0]&0x80 != 0 {
		v.Sub(v, new(big.Int).Lsh(big.NewInt(1), uint(8*n)))
	}
	u.push(v)
	return nil
}

// text8 reads strings and bytes objects; the latter stay in the file.
func (u *unpickler) text8(op byte) error {
	var n uint64
	var err error
	switch op {
	case opShortBinUni, opShortBinBytes:
		var v byte
		v, err = u.byte()
		n = uint64(v)
	case opBinUnicode, opBinBytes:
		var v uint32
		v, err = u.u32()
		n = uint64(v)
	default:
		n, err = u.u64()
	}
	if err != nil {
		return err
	}
	if n > uint64(u.left()) {
		return fmt.Errorf("%w: %d bytes wanted, %d left", errShort, n, u.left())
	}
	switch op {
	case opBinBytes, opShortBinBytes, opBinBytes8:
		at, err := u.skip(int64(n))
		u.push(Bytes{at})
		return err
	}
	s, err := u.text(int64(n))
	u.push(s)
	return err
}
