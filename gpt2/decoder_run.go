package gpt2

import (
	"context"
	"fmt"
)

// outcome is what became of a prompt.
type outcome struct {
	captions []Caption
	err      error
}

// run is one call of Decode.
type run struct {
	*Decoder
	taken, given int             // prompts taken from the caller and answered
	done         map[int]outcome // those that wait for an earlier one
}

// all works until the prompts are out or the caller has enough.
func (r *run) all(ctx context.Context, next func() (Prompt, error, bool), yield func([]Caption, error) bool) {
	more := true
	for {
		for more && len(r.idle) > 0 {
			more = r.take(next)
			if !r.give(yield) {
				return
			}
		}
		if len(r.active) == 0 {
			return
		}
		if err := r.advance(ctx); err != nil {
			yield(nil, fmt.Errorf("decode: %w", err))
			return
		}
		if !r.give(yield) {
			return
		}
	}
}

// give yields what is ready in the order of the prompts.
func (r *run) give(yield func([]Caption, error) bool) bool {
	for {
		o, ok := r.done[r.given]
		if !ok {
			return true
		}
		delete(r.done, r.given)
		r.given++
		if !yield(o.captions, o.err) {
			return false
		}
	}
}

// take starts on the next prompt, if there is one.
func (r *run) take(next func() (Prompt, error, bool)) bool {
	p, err, ok := next()
	if !ok {
		return false
	}
	if err == nil {
		err = r.check(p)
	}
	if err != nil {
		r.done[r.taken] = outcome{err: err}
	} else {
		s := r.idle[len(r.idle)-1]
		r.idle = r.idle[:len(r.idle)-1]
		s.begin(r.taken, p, r.model.Config.Dim, &r.options)
		r.active = append(r.active, s)
	}
	r.taken++
	return true
}

// advance runs one step and lets every search choose.
func (r *run) advance(ctx context.Context) error {
	r.gather()
	if err := r.compute(ctx); err != nil {
		return err
	}
	keep := r.active[:0]
	for _, s := range r.active {
		if err := r.choose(s); err != nil {
			return err
		}
		if !s.finished(&r.options) {
			keep = append(keep, s)
			continue
		}
		for i := range s.beams {
			r.pool.give(s.beams[i].rows)
		}
		r.done[s.index] = outcome{captions: s.captions(&r.options)}
		r.idle = append(r.idle, s)
	}
	clear(r.active[len(keep):])
	r.active = keep
	return nil
}
