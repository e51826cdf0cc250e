// Package plural writes counts and lists of things in messages.
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

// few is how many of many things are listed.
const few = 5

// Few lists things, the first few of many: "1, 2, 3, 4, 5 and 7 more".
func Few(things []string) string {
	if len(things) <= few {
		return strings.Join(things, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(things[:few], ", "), len(things)-few)
}
