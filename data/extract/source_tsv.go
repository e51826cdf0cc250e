package extract

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/internal/files"
)

// table is a TSV of captions and addresses, as Conceptual Captions is. It stays in its file: millions of addresses
// are much memory. A line's number, from 0, is its image's id.
type table struct {
	f     *os.File
	lines int
	marks []int64 // where every markEvery-th line begins
	web   *fetcher
}

const (
	markEvery = 1024
	maxLine   = 1 << 20
)

// openTSV opens a table and notes where every markEvery-th of its lines begins.
func openTSV(path string, o Fetch) (Source, error) {
	f, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	t := &table{f: f}
	r := bufio.NewReaderSize(f, 1<<20)
	var at int64
	for {
		line, err := r.ReadSlice('\n')
		length := int64(len(line))
		for errors.Is(err, bufio.ErrBufferFull) {
			line, err = r.ReadSlice('\n')
			length += int64(len(line))
		}
		if length > maxLine {
			f.Close()
			return nil, fmt.Errorf("line %d is longer than %d bytes", t.lines+1, maxLine)
		}
		if length > 0 {
			if t.lines%markEvery == 0 {
				t.marks = append(t.marks, at)
			}
			t.lines++
			at += length
		}
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			f.Close()
			return nil, err
		}
	}
	t.web = newFetcher(o)
	return &remote{Source: t, fetcher: t.web}, nil
}

func (t *table) Len() int { return t.lines }

func (t *table) Close() error { return t.f.Close() }

func (t *table) Items(from, to int) ([]Item, error) {
	items := make([]Item, 0, to-from)
	if from >= to {
		return items, nil
	}
	mark := t.marks[from/markEvery]
	r := bufio.NewReaderSize(io.NewSectionReader(t.f, mark, 1<<62-mark), 1<<20)
	for n := from / markEvery * markEvery; n < to; n++ {
		line, err := r.ReadBytes('\n')
		if err != nil && (!errors.Is(err, io.EOF) || len(line) == 0) {
			return nil, fmt.Errorf("line %d: %w", n+1, err)
		}
		if n >= from {
			items = append(items, t.item(n, bytes.TrimRight(line, "\r\n")))
		}
	}
	return items, nil
}

// item is one line: the first field that is an address, for files with more columns exist.
func (t *table) item(n int, line []byte) Item {
	it := Item{ID: annotation.ID(strconv.Itoa(n))}
	for field := range strings.SplitSeq(string(line), "\t") {
		if isAddress(field) {
			it.File = field
			t.web.item(&it, field)
			return it
		}
	}
	it.load = func(context.Context) ([]byte, error) {
		return nil, fail(NoAddress, "line %d has no http or https address behind a tab", n+1)
	}
	return it
}
