// Package plural writes counts of things in messages.
package plural

import "fmt"

// Of is n and what it counts, by the word for one: "1 image", "2 images", "0 images".
func Of[N int | int64](n N, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}
