package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestRowsAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range rows() {
		name := r.kernel + " " + r.shape
		if seen[name] {
			t.Errorf("two rows are called %q", name)
		}
		seen[name] = true
		if r.prepare == nil {
			t.Errorf("row %q has nothing to measure", name)
		}
	}
}

// measure keeps the best turn, counts the work, holds the kernel against the slower limit, and ends.
func TestMeasure(t *testing.T) {
	calls := 0
	c := contest{work: 10, run: func() { calls++; time.Sleep(time.Millisecond) },
		limit: limit{"sleep", func() float64 { time.Sleep(time.Millisecond); return 20 }},
		also:  limit{"fast", func() float64 { time.Sleep(time.Millisecond); return 2e6 }}}
	ours, limit, name := c.measure(0)
	if name != "sleep" {
		t.Errorf("held against %q, want the slower limit", name)
	}
	if calls < 2 {
		t.Errorf("the kernel ran %d times, want a warm-up and a turn", calls)
	}
	if ours <= 0 || ours > 10_000 || limit <= 0 || limit > 20_000 {
		t.Errorf("rates %g and %g a second; a millisecond's sleep allows 10000 and 20000", ours, limit)
	}
}

func TestAnswer(t *testing.T) {
	defer func() { small = false }()
	small = true
	for _, c := range []struct{ line, err string }{
		{`{"M":3,"K":5,"N":7,"Layout":"nn","Precision":"float32"}`, ""},
		{`{"M":1,"K":33,"N":2,"Layout":"nt","Precision":"bfloat16"}`, ""},
		{`{"M":4,"K":3,"N":5,"Layout":"tn","Precision":"high"}`, ""},
		{`{"M":4,"K":3,"N":5,"Layout":"xx","Precision":"high"}`, "layout"},
		{`{"M":4,"K":3,"N":5,"Layout":"nn","Precision":"half"}`, "precision"},
		{`{"M":4,"K":3,"N":5,"Layout":"nn","Precision":"bfloat16","Rounded":"in"}`, ""},
		{`{"M":4,"K":3,"N":5,"Layout":"nt","Precision":"bfloat16","Rounded":"out"}`, ""},
		{`{"M":4,"K":3,"N":5,"Layout":"tn","Precision":"bfloat16","Rounded":"out"}`, "rounded"},
		{`{"M":0,"K":3,"N":5,"Layout":"nn","Precision":"high"}`, "shape"},
		{`{"M":2000000000,"K":2000000000,"N":5}`, "shape"},
		{`{"Step":{"Kind":"frozen","Batch":2,"Tokens":5,"Precision":"float32"}}`, ""},
		{`{"Step":{"Kind":"tuned","Batch":3,"Tokens":0,"Precision":"bfloat16"}}`, ""},
		{`{"Step":{"Kind":"loose","Batch":3,"Tokens":4,"Precision":"high"}}`, "frozen or tuned"},
		{`{"Decode":{"Mode":"beam","Weights":"high","Images":3,"Beam":2,"Prefix":4,"Steps":5}}`, ""},
		{`{"Decode":{"Mode":"beam","Weights":"int4","Images":3,"Beam":2,"Prefix":4,"Steps":5}}`, "weights"},
		{`{"Attention":{"Sequences":3,"Length":17,"Heads":2,"Dim":8,"Causal":true,"Precision":"float32"}}`, ""},
		{`{"Attention":{"Sequences":3,"Length":17,"Heads":2,"Dim":8,"Backward":true,"Precision":"float32"}}`, ""},
		{`{"Attention":{"Sequences":3,"Length":0,"Heads":2,"Dim":8,"Precision":"float32"}}`, "attention"},
		{`nonsense`, "invalid character"},
	} {
		var out strings.Builder
		if err := answer(strings.NewReader(c.line+"\n"), &out); err != nil {
			t.Fatal(err)
		}
		var r response
		if err := json.Unmarshal([]byte(out.String()), &r); err != nil {
			t.Fatalf("%s: answered %q: %v", c.line, out.String(), err)
		}
		if c.err == "" && (r.Error != "" || r.Best <= 0 || r.Median < r.Best) || c.err != "" && !strings.Contains(r.Error, c.err) {
			t.Errorf("%s: answered %+v, want an error about %q", c.line, r, c.err)
		}
	}
}
