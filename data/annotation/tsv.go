package annotation

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// tsv reads Conceptual Captions: a caption, a tab and an address a line, no header. An image's id is the number of its line,
// from 0. With quotes a field that starts with " goes on to the next lone ", over tabs and line ends, and a doubled " in it is one,
// as Python's csv module reads it; without, a " is a character like any other.
func (p *parser) tsv(r *bufio.Reader, quotes bool) error {
	for row := 0; ; row++ {
		fields, err := tsvRow(r, quotes)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && len(fields) < 2 {
			err = errors.New("no tab: want a caption, a tab and an address")
		}
		if err == nil {
			err = p.caption(Caption{Image: ID(strconv.Itoa(row)), Row: -1, Text: strings.ToValidUTF8(fields[0], "\uFFFD")}, true)
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", row, err)
		}
	}
}

// maxRow bounds a row of the file, quoted line ends included.
const maxRow = 1 << 20

// tsvRow reads one row; io.EOF says there is none.
func tsvRow(r *bufio.Reader, quotes bool) ([]string, error) {
	var fields []string
	var field strings.Builder
	quoted, size := false, 0
	for {
		b, err := r.ReadByte()
		if err == io.EOF && size == 0 {
			return nil, io.EOF
		}
		if err == io.EOF {
			b = '\n' // the last line may lack its end; an open quote ends with the file
			quoted = false
		} else if err != nil {
			return nil, err
		}
		if size++; size > maxRow {
			return nil, fmt.Errorf("longer than %d bytes", maxRow)
		}
		switch {
		case quoted && b == '"':
			if next, err := r.Peek(1); err == nil && next[0] == '"' {
				r.Discard(1)
				field.WriteByte('"')
			} else {
				quoted = false
			}
		case quoted:
			field.WriteByte(b)
		case b == '"' && quotes && field.Len() == 0:
			quoted = true
		case b == '\t':
			fields = append(fields, field.String())
			field.Reset()
		case b == '\n':
			return append(fields, strings.TrimSuffix(field.String(), "\r")), nil
		default:
			field.WriteByte(b)
		}
	}
}
