package spice_test

import (
	"errors"
	"fmt"
	"os"

	"github.com/clipcap-go/clipcap/eval/spice"
)

// Where the jar is not, SPICE is not: there is no number in its place.
func ExampleOpen() {
	_, err := spice.Open("no-such-folder")
	fmt.Println(errors.Is(err, os.ErrNotExist))
	// Output: true
}
