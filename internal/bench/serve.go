package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/clipcap-go/clipcap/nn"
)

// request asks for one product to be timed: c[m,n] = a[m,k]·b. The layout says what lies
// transposed in memory: "nn", "nt" (b as [n,k]) or "tn" (a as [k,m], both packed in the call,
// as for a weight's gradient). With CLIP it asks for an image encoder instead, a published name, on M images.
type request struct {
	M, K, N   int
	Layout    string
	CLIP      string
	Precision string
	Rounded   string    // in: the left operand is bfloat16 beforehand; out: the result is; both in the order of kernel.Rounded
	Seconds   float64   // how long to keep measuring
	Decode    *decoding // instead of a product: captions
	Step      *timing   // … training steps
	Attention *attending
	Memory    bool // instead of a product: Median is the bytes a second that memory is read at
}

// response carries the seconds of one call.
type response struct {
	Best, Median float64
	Profile      []string `json:",omitempty"` // where the time of a decoding went
	Error        string   `json:",omitempty"`
}

// answer reads requests until the input ends. A request that cannot be met is answered by an error.
func answer(in io.Reader, out io.Writer) error {
	lines, reply := bufio.NewScanner(in), json.NewEncoder(out)
	for lines.Scan() {
		var q request
		var r response
		err := json.Unmarshal(lines.Bytes(), &q)
		if err == nil {
			r, err = q.time()
		}
		if err != nil {
			r.Error = err.Error()
		}
		if err := reply.Encode(r); err != nil {
			return err
		}
	}
	return lines.Err()
}

// most bounds a request's sizes: the matrices of one stay below 4 GiB.
const most = 1 << 30

// memory is made once.
var memory *limit

// time measures what the request asks for.
func (q request) time() (response, error) {
	switch {
	case q.Decode != nil:
		return q.Decode.time(q.Seconds)
	case q.Step != nil:
		return q.Step.time(q.Seconds)
	case q.Attention != nil:
		return q.Attention.time(q.Seconds)
	case q.Memory:
		if memory == nil {
			l := readMemory()
			memory = &l
		}
		r := rate(memory.run, 100*time.Millisecond)
		return response{Best: r, Median: r}, nil
	case q.CLIP != "":
		run, err := q.encoder()
		if err != nil {
			return response{}, err
		}
		return q.repeat(run), nil
	}
	if q.M < 1 || q.K < 1 || q.N < 1 || q.M > most/q.K || q.K > most/q.N || q.M > most/q.N {
		return response{}, fmt.Errorf("shape %dx%dx%d: want sizes of at least 1 and matrices of at most %d elements", q.M, q.K, q.N, most)
	}
	if device != (nn.Device{}) {
		return q.productOn()
	}
	run, err := q.product()
	if err != nil {
		return response{}, err
	}
	return q.repeat(run), nil
}

// repeat times run.
func (q request) repeat(run func()) response {
	run()
	run() // the second call finds its scratch memory made
	var each []float64
	for start := time.Now(); len(each) < 3 || time.Since(start).Seconds() < min(q.Seconds, 10); {
		t := time.Now()
		run()
		each = append(each, time.Since(t).Seconds())
	}
	slices.Sort(each)
	return response{Best: each[0], Median: each[len(each)/2]}
}
