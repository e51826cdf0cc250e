package annotation_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/clipcap-go/clipcap/data/annotation"
)

// The human captions of two images, and what a system wrote for them.
func Example() {
	set, err := annotation.Parse(strings.NewReader(`{"7": ["a dog runs", "a running dog"], "8": ["a red bus"]}`), "refs.json", annotation.Options{})
	if err != nil {
		log.Fatal(err)
	}
	results, err := annotation.ParseResults(strings.NewReader(`[{"image_id": 8, "caption": "a bus"}, {"image_id": 7, "caption": "a dog"}]`), "results.json")
	if err != nil {
		log.Fatal(err)
	}
	pairs, err := annotation.Join(set, results, false)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range pairs {
		fmt.Printf("%s: %q for %q\n", p.ID, p.Captions, p.References)
	}
	// Output:
	// 7: ["a dog"] for ["a dog runs" "a running dog"]
	// 8: ["a bus"] for ["a red bus"]
}
