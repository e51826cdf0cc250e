package weights

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// npyNames is numpy's name of a type.
var npyNames = map[DType]string{F64: "<f8", F32: "<f4", F16: "<f2", I64: "<i8", I32: "<i4", I16: "<i2", I8: "|i1", U8: "|u1", Bool: "|b1"}

// WriteNPY writes one item as numpy's .npy, version 1, in C order. numpy has no bfloat16.
func WriteNPY(w io.Writer, item Item) error {
	descr := npyNames[item.DType]
	if descr == "" {
		return fmt.Errorf("write %s: numpy has no %s", item.Name, item.DType)
	}
	if _, err := item.size(); err != nil {
		return err
	}
	shape := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(item.Shape)), ", "), "[]")
	if len(item.Shape) == 1 {
		shape += "," // a tuple of one
	}
	dict := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape)
	const before = 10 // magic, version, length
	dict += strings.Repeat(" ", dataAlign-(before+len(dict)+1)%dataAlign) + "\n"
	head := append([]byte("\x93NUMPY\x01\x00"), 0, 0)
	binary.LittleEndian.PutUint16(head[8:], uint16(len(dict)))
	if _, err := w.Write(append(head, dict...)); err != nil {
		return err
	}
	return item.put(w)
}
