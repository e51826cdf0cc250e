package ptb_test

import (
	"fmt"

	"github.com/clipcap-go/clipcap/eval/ptb"
)

func ExampleTokenize() {
	for _, line := range ptb.Tokenize([]string{"A man can't ride (yet).", "", "The dog's bone cost $5."}) {
		fmt.Printf("%q\n", line)
	}
	// Output:
	// "a man ca n't ride -lrb- yet -rrb-"
	// ""
	// "the dog 's bone cost $ 5"
}

func ExampleLineSeparator() {
	fmt.Printf("%U %d\n", ptb.LineSeparator("a cat\u2028on a mat"), ptb.LineSeparator("a cat\non a mat"))
	// Output: U+2028 -1
}
