package eval

import (
	"fmt"
	"math"
)

// CLIPScorePrompt stands before a caption, a candidate's or a reference's, when CLIP's text tower reads it for [CLIPScore].
const CLIPScorePrompt = "A photo depicts "

// CLIPScore returns for each image 2.5·max(cos, 0) of its feature and its candidate's (Hessel et al. 2021), CLIP's and of equal width,
// normalised or not. The corpus score is the mean. Published scores are of ViT-B/32. Features
// of different numbers of images or of different widths are an error.
func CLIPScore(images, candidates [][]float32) ([]float64, error) {
	if len(images) != len(candidates) {
		return nil, fmt.Errorf("clipscore: features of %d images but of %d candidates", len(images), len(candidates))
	}
	scores := make([]float64, len(images))
	for i := range images {
		c, err := cosine(images[i], candidates[i])
		if err != nil {
			return nil, fmt.Errorf("clipscore: image %d: %w", i, err)
		}
		scores[i] = 2.5 * max(c, 0)
	}
	return scores, nil
}

// RefCLIPScore returns for each image the harmonic mean of its CLIPScore and of the highest cosine of its candidate's feature with a
// reference's, 0 where that is not positive.
func RefCLIPScore(clipScores []float64, candidates [][]float32, references [][][]float32) ([]float64, error) {
	if len(candidates) != len(clipScores) || len(references) != len(clipScores) {
		return nil, fmt.Errorf("refclipscore: %d scores, features of %d candidates and of %d images' references", len(clipScores), len(candidates), len(references))
	}
	scores := make([]float64, len(candidates))
	for i, candidate := range candidates {
		best := math.Inf(-1)
		for _, r := range references[i] {
			c, err := cosine(candidate, r)
			if err != nil {
				return nil, fmt.Errorf("refclipscore: image %d: %w", i, err)
			}
			best = max(best, c)
		}
		if c := clipScores[i]; best > 0 && c > 0 {
			scores[i] = 2 * c * best / (c + best)
		}
	}
	return scores, nil
}

// cosine of two features.
func cosine(a, b []float32) (float64, error) {
	if len(a) != len(b) || len(a) == 0 {
		return 0, fmt.Errorf("features of %d and %d numbers", len(a), len(b))
	}
	var dot, aa, bb float64
	for i, x := range a {
		y := float64(b[i])
		dot += float64(x) * y
		aa += float64(x) * float64(x)
		bb += y * y
	}
	c := dot / math.Sqrt(aa*bb)
	if math.IsNaN(c) || math.IsInf(c, 0) {
		return 0, fmt.Errorf("a feature is zero or not finite")
	}
	return c, nil
}
