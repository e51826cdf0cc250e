package train

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/clipcap-go/clipcap/internal/files"
)

// Record is a line of the log: an update, or an evaluation after one (then Loss is absent). See Update for what an update's numbers are.
type Record struct {
	Step        int64    `json:"step"` // from 1
	Epoch       float64  `json:"epoch,omitempty"`
	Loss        *float64 `json:"loss,omitempty"`
	LR          *float64 `json:"lr,omitempty"`
	Tokens      int      `json:"tokens,omitempty"`
	CaptionsPer float64  `json:"captions_per_s,omitempty"` // a second
	GradNorm    float64  `json:"grad_norm,omitempty"`

	ValLoss    *float64 `json:"val_loss,omitempty"`    // Evaluator.Loss
	ValCIDEr   *float64 `json:"val_cider,omitempty"`   // of what Run.Judge writes
	TrainCIDEr *float64 `json:"train_cider,omitempty"` // of what Run.OnTrained writes
	Samples    []Sample `json:"samples,omitempty"`
}

// Sample is a caption written during training beside a human one.
type Sample struct {
	Image     string `json:"image_id"`
	Caption   string `json:"caption"`
	Reference string `json:"reference"` // the image's first
}

// record is the line of an update.
func (u *Update) record() Record {
	return Record{Step: u.Step, Epoch: u.Epoch, Loss: &u.Loss, LR: &u.LR, Tokens: u.Tokens,
		CaptionsPer: float64(u.Captions) / max(1e-9, u.Time.Seconds()), GradNorm: u.GradNorm}
}

// runLog writes records, one JSON object a line.
type runLog struct {
	to   appender
	line []byte
}

// openLog opens a log for appending. Records of steps after done, which a run that was killed had written and a resumed one will write
// again, are cut off, and so is a line that was not finished. With done 0 the log starts empty.
func openLog(path string, done int64) (*runLog, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	var keep int64
	if done > 0 {
		keep, err = keepUpTo(f, done)
	}
	if err == nil {
		err = f.Truncate(keep)
	}
	if err == nil {
		_, err = f.Seek(keep, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("log %s: %w", path, err)
	}
	return &runLog{to: appender{name: "log " + path, f: f, size: keep}}, nil
}

// keepUpTo is the number of bytes before the first whole line of a later step.
func keepUpTo(r io.Reader, done int64) (int64, error) {
	b := bufio.NewReader(r)
	for keep := int64(0); ; {
		line, err := b.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return keep, nil
		} else if err != nil {
			return 0, err
		}
		var rec Record
		if json.Unmarshal(line, &rec) != nil || rec.Step > done {
			return keep, nil
		}
		keep += int64(len(line))
	}
}

// Write appends a record. After an error the record waits in memory, and is written with the next one that can be.
func (l *runLog) Write(r Record) error {
	text, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("log: %w", errors.Join(errLost, err))
	}
	l.line = append(append(l.line[:0], text...), '\n')
	return l.to.write(l.line)
}

// Close writes what waits and closes the file.
func (l *runLog) Close() error { return l.to.close() }

// IsLog tells whether a file begins as a log does, as an empty file does and one that is not there.
func IsLog(path string) (bool, error) {
	f, err := files.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	} else if err != nil {
		return false, fmt.Errorf("log: %w", err)
	}
	defer f.Close()
	const begin = `{"step":` // Record's
	head := make([]byte, len(begin))
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, fmt.Errorf("log %s: %w", path, err)
	}
	return string(head[:n]) == begin[:n], nil // a killed run may have left less than a line
}

// ReadLog reads a log. A missing file is an empty log; lines that are no records are left out.
func ReadLog(path string) ([]Record, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	var rs []Record
	for line := range bytes.Lines(text) {
		var r Record
		if json.Unmarshal(line, &r) == nil && r.Step > 0 {
			rs = append(rs, r)
		}
	}
	return rs, nil
}
