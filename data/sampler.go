package data

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/clipcap-go/clipcap/internal/plural"
)

// Sampler says which captions each step trains on. An epoch is cut into steps of Batch captions; the last few that fill no batch are
// left out (the original's drop_last), unless KeepLast is set. What a step gets is a function of Seed and the step's number.
type Sampler struct {
	Captions   *Captions
	Batch      int    // captions of a step
	Seed       uint64 // of the order
	Sequential bool   // the file's order in every epoch, instead of a new one
	KeepLast   bool   // the last captions of an epoch are a smaller batch
	// Group lays the captions of an image side by side, so that most of them share a batch and with it their prefix.
	Group bool

	epoch  int64 // of order, -1: none
	order  []int32
	images [][]int32 // Group: captions by image
}

// Validate says what cannot work: no captions, or fewer than a batch.
func (s *Sampler) Validate() error {
	switch n := s.Captions.Len(); {
	case s.Batch < 1:
		return fmt.Errorf("batch size %d, want 1 or more", s.Batch)
	case n == 0:
		return errors.New("no captions to train on")
	case n < s.Batch && !s.KeepLast:
		return fmt.Errorf("no batch of %d can be filled from %s: want a smaller --batch-size, or --keep-last", s.Batch, plural.Of(n, "caption"))
	}
	return nil
}

// StepsPerEpoch is the number of batches in an epoch.
func (s *Sampler) StepsPerEpoch() int64 {
	n := int64(s.Captions.Len())
	if s.KeepLast {
		return (n + int64(s.Batch) - 1) / int64(s.Batch)
	}
	return n / int64(s.Batch)
}

// Step is the captions, by number, of batch number i, counted over all epochs from 0. The slice is valid until the next call.
func (s *Sampler) Step(i int64) []int32 {
	per := s.StepsPerEpoch()
	if s.order == nil || s.epoch != i/per {
		s.shuffle(i / per)
	}
	from := int(i%per) * s.Batch
	return s.order[from:min(from+s.Batch, len(s.order))]
}

// shuffle makes the order of an epoch.
func (s *Sampler) shuffle(epoch int64) {
	if s.order == nil {
		s.order = make([]int32, 0, s.Captions.Len())
	}
	s.epoch = epoch
	s.order = s.order[:0]
	r := random{s.Seed, uint64(epoch)}
	if s.Group {
		s.group()
		at := make([]int32, len(s.images))
		for i := range at {
			at[i] = int32(i)
		}
		if !s.Sequential {
			r.shuffle(at)
		}
		for _, i := range at {
			s.order = append(s.order, s.images[i]...)
		}
		return
	}
	for i := range s.Captions.Len() {
		s.order = append(s.order, int32(i))
	}
	if !s.Sequential {
		r.shuffle(s.order)
	}
}

// group lists the captions of every image, images in the order they are first met.
func (s *Sampler) group() {
	if s.images != nil {
		return
	}
	at := map[int32]int{}
	for i, row := range s.Captions.rows {
		j, ok := at[row]
		if !ok {
			j = len(s.images)
			at[row] = j
			s.images = append(s.images, nil)
		}
		s.images[j] = append(s.images[j], int32(i))
	}
}

// random is a counter run through SplitMix64's finaliser (Steele, Lea and Flood 2014): plain enough to stay the same for ever.
type random struct{ key, counter uint64 }

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// shuffle is Fisher and Yates's, with the numbers of the generator's key and counter.
func (r random) shuffle(a []int32) {
	state := mix(r.key+0x9e3779b97f4a7c15) + mix(r.counter^0xd1b54a32d192ed03)
	for i := len(a) - 1; i > 0; i-- {
		state += 0x9e3779b97f4a7c15
		j, _ := bits.Mul64(mix(state), uint64(i+1)) // the bias is below n/2^64
		a[i], a[j] = a[j], a[i]
	}
}
