// Package plural writes counts of things in messages.
package plural

import (
	"fmt"
	"strings"
)

// Of is n and what it counts, by the word for one: "1 image", "2 images", "0 batches".
func Of[N int | int64](n N, one string) string {
	switch {
	case n == 1:
		return "1 " + one
	case strings.HasSuffix(one, "ch"):
		one += "e"
	}
	return fmt.Sprintf("%d %ss", n, one)
}
