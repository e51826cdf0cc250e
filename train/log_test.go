package train

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func ptr(x float64) *float64 { return &x }

func TestLogResumes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log.jsonl")
	write := func(done int64, steps ...int64) {
		t.Helper()
		l, err := openLog(path, done)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range steps {
			if err := l.Write(Record{Step: s, Loss: ptr(float64(s)), LR: ptr(0)}); err != nil {
				t.Fatal(err)
			}
		}
		l.Close()
	}
	steps := func() (got []int64) {
		rs, err := ReadLog(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rs {
			got = append(got, r.Step)
		}
		return got
	}
	write(0, 1, 2, 3)
	f, _ := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	f.WriteString(`{"step":4,"lo`) // killed in the middle
	f.Close()
	write(2, 3, 4)
	if got := steps(); len(got) != 4 || got[2] != 3 || got[3] != 4 {
		t.Errorf("after a resume the log has steps %v", got)
	}
	text, _ := os.ReadFile(path)
	if first, _, _ := strings.Cut(string(text), "\n"); first != `{"step":1,"loss":1,"lr":0}` {
		t.Errorf("first line %s", first)
	}
	write(0)
	if got := steps(); got != nil {
		t.Errorf("a new log has steps %v", got)
	}
	if rs, err := ReadLog(filepath.Join(t.TempDir(), "none")); rs != nil || err != nil {
		t.Errorf("a missing log: %v %v", rs, err)
	}
}

// TestEvents reads an event file back by the format's rules.
func TestEvents(t *testing.T) {
	dir := t.TempDir()
	e, err := newEvents(dir)
	if err != nil {
		t.Fatal(err)
	}
	e.now = func() time.Time { return time.Unix(12, 5e8) }
	if err := e.Write(300, scalar{"loss", 1.5}, scalar{"lr", 0.25}); err != nil {
		t.Fatal(err)
	}
	e.Close()
	names, _ := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	if len(names) != 1 {
		t.Fatalf("files %v", names)
	}
	b, _ := os.ReadFile(names[0])
	var events [][]byte
	for len(b) > 0 {
		n := binary.LittleEndian.Uint64(b)
		if binary.LittleEndian.Uint32(b[8:]) != masked(b[:8]) || binary.LittleEndian.Uint32(b[12+n:]) != masked(b[12:12+n]) {
			t.Fatal("a checksum is wrong")
		}
		events = append(events, b[12:12+n])
		b = b[16+n:]
	}
	if len(events) != 2 || !strings.HasSuffix(string(events[0]), "\x1a\x0dbrain.Event:2") {
		t.Fatalf("events %q", events)
	}
	want := "\x09\x00\x00\x00\x00\x00\x00\x29\x40" + // wall time 12.5
		"\x10\xac\x02" + // step 300
		"\x2a\x18" + "\x0a\x0b\x0a\x04loss\x15\x00\x00\xc0\x3f" + "\x0a\x09\x0a\x02lr\x15\x00\x00\x80\x3e"
	if string(events[1]) != want {
		t.Errorf("event %q\nwant  %q", events[1], want)
	}
	// The constant that style guides for the format give: the masked checksum of the length 24.
	if m := masked(binary.LittleEndian.AppendUint64(nil, 24)); m != 0x224b7fa3 {
		t.Errorf("masked checksum %#x", m)
	}
}

func TestReport(t *testing.T) {
	r := runPage{Title: "a <run>", Facts: []fact{{"mapper", "mlp"}}}
	for i := int64(1); i <= 2000; i++ {
		r.Records = append(r.Records, Record{Step: i, Loss: ptr(5 / float64(i)), LR: ptr(1e-5)})
	}
	r.Records = append(r.Records, Record{Step: 2000, ValLoss: ptr(0.5), ValCIDEr: ptr(0.8), Samples: []Sample{{"7", "a <b>", "a man"}}}, Record{Step: 2001, Loss: ptr(math.NaN())})
	var b strings.Builder
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{"a &lt;run&gt;", "<svg", "polyline", "Learning rate", "CIDEr (validation in red", "a &lt;b&gt;", "Captions at step 2000"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in the page", want)
		}
	}
	if strings.Contains(page, "NaN") || strings.Contains(page, "http") || len(page) > 100_000 {
		t.Errorf("a page of %d bytes that is not whole by itself", len(page))
	}
	for _, few := range [][]Record{nil, {{Step: 1, Loss: ptr(2), LR: ptr(0)}}} {
		r.Records = few
		b.Reset()
		if err := r.Write(&b); err != nil || strings.Contains(b.String(), "NaN") || strings.Contains(b.String(), "Inf") {
			t.Errorf("%d records: %v, %s", len(few), err, b.String())
		}
	}
}
