package train

import (
	"errors"
	"fmt"
	"io"
)

// file is what an appender writes to.
type file interface {
	io.WriteSeeker
	Truncate(size int64) error
	Close() error
}

// appender adds whole records to a file. What cannot be written, because the disk is full say, waits, and is written with the next
// record that can; a record that went in part is taken back.
type appender struct {
	name    string
	f       file
	size    int64 // of what is whole
	waiting []byte
	err     error // why it waits
}

// waitingMost bounds what waits: days of a run's records.
const waitingMost = 64 << 20

// write adds a record. An error means that it waits.
func (a *appender) write(record []byte) error {
	if len(a.waiting)+len(record) > waitingMost {
		return fmt.Errorf("%s: %d bytes could not be written and no more are kept: %w", a.name, len(a.waiting), errors.Join(errLost, a.err))
	}
	a.waiting = append(a.waiting, record...)
	return a.flush()
}

// errLost says that a record was dropped.
var errLost = errors.New("a record is lost")

// flush writes what waits.
func (a *appender) flush() error {
	if len(a.waiting) == 0 {
		return nil
	}
	n, err := a.f.Write(a.waiting)
	if err == nil {
		a.size += int64(n)
		a.waiting, a.err = a.waiting[:0], nil
		return nil
	}
	if n > 0 {
		_, e := a.f.Seek(a.size, io.SeekStart)
		err = errors.Join(err, a.f.Truncate(a.size), e)
	}
	a.err = err
	return fmt.Errorf("%s: %w", a.name, err)
}

// close writes what waits and closes the file.
func (a *appender) close() error {
	err := a.flush()
	if err != nil {
		err = fmt.Errorf("%w; %d bytes were not written", err, len(a.waiting))
	}
	return errors.Join(err, a.f.Close())
}
