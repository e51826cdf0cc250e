package train

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"
)

// events writes scalars as a TensorBoard event file: a sequence of TFRecords, each a protobuf Event.
type events struct {
	to  appender
	buf []byte
	now func() time.Time
}

// newEvents starts an event file in a folder; TensorBoard reads all files of a folder as one run.
func newEvents(dir string) (*events, error) {
	now := time.Now()
	path := filepath.Join(dir, fmt.Sprintf("events.out.tfevents.%d.clipcap.%d", now.Unix(), os.Getpid()))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("tensorboard: %w", err)
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("tensorboard %s: %w", path, err)
	}
	e := &events{to: appender{name: "tensorboard " + path, f: f, size: size}, now: time.Now}
	if err := e.write(appendText(e.event(0), 3, "brain.Event:2")); err != nil {
		f.Close()
		return nil, err
	}
	return e, nil
}

// scalar is a named number.
type scalar struct {
	Tag   string
	Value float64
}

// Write adds the scalars of a step. After an error they wait in memory, and are written with the next ones that can be.
func (e *events) Write(step int64, scalars ...scalar) error {
	var summary []byte
	for _, s := range scalars {
		value := appendText(nil, 1, s.Tag)
		value = append(value, 2<<3|5) // simple_value, 32 bits
		value = binary.LittleEndian.AppendUint32(value, math.Float32bits(float32(s.Value)))
		summary = appendText(summary, 1, string(value))
	}
	return e.write(appendText(e.event(step), 5, string(summary)))
}

// event starts an Event: field 1 wall_time (double), 2 step (varint).
func (e *events) event(step int64) []byte {
	b := append([]byte(nil), 1<<3|1)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(float64(e.now().UnixNano())/1e9))
	return binary.AppendUvarint(append(b, 2<<3), uint64(step))
}

// appendText appends a field of bytes.
func appendText(b []byte, field byte, text string) []byte {
	b = binary.AppendUvarint(append(b, field<<3|2), uint64(len(text)))
	return append(b, text...)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// masked is the checksum of a TFRecord.
func masked(b []byte) uint32 {
	c := crc32.Checksum(b, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

// write adds one TFRecord: length, its checksum, the event, its checksum.
func (e *events) write(event []byte) error {
	b := binary.LittleEndian.AppendUint64(e.buf[:0], uint64(len(event)))
	b = binary.LittleEndian.AppendUint32(b, masked(b))
	b = append(b, event...)
	b = binary.LittleEndian.AppendUint32(b, masked(event))
	e.buf = b
	return e.to.write(b)
}

// Close writes what waits and closes the file.
func (e *events) Close() error { return e.to.close() }
