package meteor

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"github.com/clipcap-go/clipcap/internal/files"
)

const (
	blockSize = 1 << 20 // of the unpacked table, read at a time
	maxEntry  = 1 << 16 // bytes of an entry of the table
)

// readTable reads the gzipped table of paraphrases: three lines an entry, probability, phrase and paraphrase. It keeps the entries the
// gate lets pass and whose words the vocabulary has, so that memory depends on the captions and not on the table.
func readTable(path string, g *gate, v *vocabulary) (*table, error) {
	f, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t, err := parseTable(f, g, v)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// A block is a piece of the unpacked table, or the error that ended it.
type block struct {
	data []byte
	err  error
}

// parseTable is readTable from a stream. One goroutine unpacks while another looks at what is unpacked.
func parseTable(r io.Reader, g *gate, v *vocabulary) (*table, error) {
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("no gzip file: %w", err)
	}
	blocks, free, done := make(chan block, 4), make(chan []byte, 4), make(chan struct{})
	defer func() { // the unpacker must have let go of r
		close(done)
		for range blocks {
		}
	}()
	for range cap(free) {
		free <- make([]byte, blockSize)
	}
	go func() {
		defer close(blocks)
		for {
			select {
			case <-done:
				return
			case buf := <-free:
				b := fill(z, buf)
				blocks <- b
				if b.err != nil {
					return
				}
			}
		}
	}()
	p := entryParser{gate: g, vocabulary: v, table: newTable()}
	for b := range blocks {
		if err := p.block(b.data); err != nil {
			return nil, err
		}
		if b.err == nil {
			free <- b.data[:blockSize]
		} else if b.err != io.EOF {
			return nil, fmt.Errorf("unpack after %d entries: %w", p.entries, b.err)
		}
	}
	return p.end()
}

// fill reads until buf is full or r ends.
func fill(r io.Reader, buf []byte) block {
	n := 0
	for n < len(buf) {
		k, err := r.Read(buf[n:])
		if n += k; err != nil {
			return block{buf[:n], err}
		}
	}
	return block{buf, nil}
}

// An entryParser takes the table apart.
type entryParser struct {
	*gate
	*vocabulary
	table       *table
	rest        []byte // the beginning of an entry whose end is in the next block
	entries     int
	left, right []int32
}

// block takes every whole entry of what has come so far.
func (p *entryParser) block(data []byte) error {
	if len(p.rest) > 0 { // complete the entry that was cut
		for len(data) > 0 {
			n := bytes.IndexByte(data, '\n') + 1
			if n == 0 {
				n = len(data)
			}
			p.rest = append(p.rest, data[:n]...)
			data = data[n:]
			used, err := p.entry(p.rest)
			if err != nil {
				return err
			}
			if used > 0 {
				p.rest = p.rest[:0]
				break
			}
		}
	}
	for len(data) > 0 {
		used, err := p.entry(data)
		if err != nil {
			return err
		}
		if used == 0 {
			p.rest = append(p.rest, data...)
			break
		}
		data = data[used:]
	}
	return nil
}

// entry takes the entry that data begins with and returns its length, 0 if its end is not in data.
func (p *entryParser) entry(data []byte) (int, error) {
	a := bytes.IndexByte(data, '\n')
	if a < 0 {
		return 0, p.tooLong(data)
	}
	b := bytes.IndexByte(data[a+1:], '\n')
	if b < 0 {
		return 0, p.tooLong(data)
	}
	b += a + 1
	c := bytes.IndexByte(data[b+1:], '\n')
	if c < 0 {
		return 0, p.tooLong(data)
	}
	c += b + 1
	p.entries++
	if a == 0 || data[0] < '+' || data[0] > '9' {
		return 0, fmt.Errorf("entry %d begins with %.40q, want a probability, a phrase and a paraphrase, a line each", p.entries, data[:a])
	}
	if phrase, paraphrase := data[a+1:b], data[b+1:c]; p.pass(phrase, paraphrase) {
		var ok, also bool
		p.left, ok = p.known(p.left[:0], phrase)
		p.right, also = p.known(p.right[:0], paraphrase)
		if ok && also {
			p.table.add(p.left, p.right)
		}
	}
	return c + 1, nil
}

func (p *entryParser) tooLong(data []byte) error {
	if len(data) > maxEntry {
		return fmt.Errorf("entry %d is longer than %d bytes", p.entries+1, maxEntry)
	}
	return nil
}

// known appends the numbers of a phrase's words; false if one is not in the vocabulary or there is none.
func (p *entryParser) known(ids []int32, phrase []byte) ([]int32, bool) {
	for w := range bytes.FieldsSeq(phrase) {
		id, ok := p.ids[string(w)]
		if !ok {
			return ids, false
		}
		ids = append(ids, id)
	}
	return ids, len(ids) > 0
}

// end finishes the table; the last line may lack its end.
func (p *entryParser) end() (*table, error) {
	if len(bytes.TrimSpace(p.rest)) > 0 {
		used, err := p.entry(append(p.rest, '\n'))
		if err != nil {
			return nil, err
		}
		if used == 0 {
			return nil, fmt.Errorf("ends in the middle of entry %d", p.entries+1)
		}
	}
	p.table.finish()
	return p.table, nil
}
