package eval

import "github.com/clipcap-go/clipcap/eval/internal/parallel"

// ROUGE returns the ROUGE-L score of each image (Lin 2004) as coco-caption computes it: the F-measure, with beta 1.2, of the best
// precision and the best recall that the longest common subsequence with any reference gives, which may be two references.
// It is 0 to 1. The corpus score is their mean.
func (c *Corpus) ROUGE() []float64 {
	scores := make([]float64, len(c.images))
	parallel.Do(len(scores), func(next func() (int, int)) {
		var row []int32
		for from, to := next(); from < to; from, to = next() {
			for i := from; i < to; i++ {
				scores[i], row = c.images[i].rouge(row)
			}
		}
	})
	return scores
}

// rouge scores one image; row is scratch, returned as it has grown.
func (im *image) rouge(row []int32) (float64, []int32) {
	const beta2 = 1.2 * 1.2
	var precision, recall float64
	for _, r := range im.references {
		var common int
		common, row = longestCommon(im.candidate.spaced, r.spaced, row)
		precision = max(precision, float64(common)/float64(len(im.candidate.spaced)))
		recall = max(recall, float64(common)/float64(len(r.spaced)))
	}
	if precision == 0 || recall == 0 {
		return 0, row
	}
	return (1 + beta2) * precision * recall / (recall + beta2*precision), row
}

// longestCommon returns the length of the longest common subsequence of a and b; row is scratch, returned as it has grown.
func longestCommon(a, b, row []int32) (int, []int32) {
	if cap(row) < len(b)+1 {
		row = make([]int32, len(b)+1)
	}
	row = row[:len(b)+1]
	clear(row)
	for _, x := range a {
		diagonal := int32(0)
		for j, y := range b {
			above := row[j+1]
			if x == y {
				row[j+1] = diagonal + 1
			} else {
				row[j+1] = max(above, row[j])
			}
			diagonal = above
		}
	}
	return int(row[len(b)]), row
}
