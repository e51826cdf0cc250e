package eval

import (
	"math"

	"github.com/clipcap-go/clipcap/eval/internal/parallel"
)

// CIDEr returns the CIDEr score of each image (Vedantam et al. 2015) as coco-caption computes it, which is the variant its authors call
// CIDEr-D: clipped counts and a Gaussian penalty on the difference of lengths, times ten: 0 to 10. The corpus score is the mean.
//
// The weight of an n-gram falls with the number of images whose references hold it, so a score depends on the set of images: a subset,
// or a single image (always 0), scores otherwise. Sums run in the order of first occurrence within a caption.
func (c *Corpus) CIDEr() []float64 {
	idf := c.inverseFrequency()
	scores := make([]float64, len(c.images))
	parallel.Do(len(scores), func(next func() (int, int)) {
		inReference := make([]int32, c.grams)
		for from, to := next(); from < to; from, to = next() {
			for i := from; i < to; i++ {
				scores[i] = c.images[i].cider(idf, inReference)
			}
		}
	})
	return scores
}

// inverseFrequency returns for each n-gram ln(images) - ln(max(1, images whose references hold it)).
func (c *Corpus) inverseFrequency() []float64 {
	images := make([]int32, c.grams)
	last := make([]int32, c.grams) // 1 + the image that counted the gram last
	for i := range c.images {
		for _, r := range c.images[i].references {
			for n := range r.bags {
				for _, g := range r.bags[n].gram {
					if last[g] != int32(i)+1 {
						last[g] = int32(i) + 1
						images[g]++
					}
				}
			}
		}
	}
	total := math.Log(float64(len(c.images)))
	idf := make([]float64, c.grams)
	for g, n := range images {
		idf[g] = total - math.Log(float64(max(1, n)))
	}
	return idf
}

// cider scores one image; tf is all zero and is left so.
func (im *image) cider(idf []float64, tf []int32) float64 {
	const sigma = 6.0
	var sum [maxN]float64
	norm := im.candidate.norms(idf)
	for i := range im.references {
		r := &im.references[i]
		refNorm := r.norms(idf)
		delta := float64(im.candidate.bigrams() - r.bigrams())
		penalty := math.Exp(-(delta * delta) / (2 * sigma * sigma))
		for n := range maxN {
			similarity := im.candidate.bags[n].dot(&r.bags[n], idf, tf)
			if norm[n] != 0 && refNorm[n] != 0 {
				similarity /= norm[n] * refNorm[n]
			}
			sum[n] += similarity * penalty
		}
	}
	if len(im.references) == 0 {
		return 0
	}
	mean := (((sum[0] + sum[1]) + sum[2]) + sum[3]) / maxN
	return mean / float64(len(im.references)) * 10
}

// bigrams is the length CIDEr's penalty compares.
func (s *sentence) bigrams() int { return max(0, s.words-1) }

// norms returns the Euclidean length of each n's weight vector.
func (s *sentence) norms(idf []float64) [maxN]float64 {
	var norm [maxN]float64
	for n := range maxN {
		b := &s.bags[n]
		for i, g := range b.gram {
			w := float64(b.count[i]) * idf[g]
			norm[n] += w * w
		}
		norm[n] = math.Sqrt(norm[n])
	}
	return norm
}

// dot is the product of the candidate's weights b, clipped to the reference's, with the reference's; tf is all zero and is left so.
func (b *bag) dot(ref *bag, idf []float64, tf []int32) float64 {
	for i, g := range ref.gram {
		tf[g] = ref.count[i]
	}
	sum := 0.0
	for i, g := range b.gram {
		if tf[g] != 0 {
			w := float64(tf[g]) * idf[g]
			sum += min(float64(b.count[i])*idf[g], w) * w
		}
	}
	for _, g := range ref.gram {
		tf[g] = 0
	}
	return sum
}
