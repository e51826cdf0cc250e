package score_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/eval/score"
)

func ExampleNew() {
	set, err := annotation.Parse(strings.NewReader(`{"1": ["a dog runs on grass", "the dog is running"], "2": ["a red bus", "a bus in the street"]}`), "refs.json", annotation.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	results, err := annotation.ParseResults(strings.NewReader(`{"1": "A dog runs.", "2": "A red bus in the street."}`), "results.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	pairs, err := annotation.Join(set, results, false)
	if err != nil {
		fmt.Println(err)
		return
	}
	run, err := score.New(context.Background(), pairs, score.Options{Metrics: []string{"rouge", "cider", "meteor"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range run.Corpus {
		fmt.Printf("%s %.3f\n", s.Name, s.Value)
	}
	fmt.Println(run.Notes[0])
	// Output:
	// ROUGE_L 0.821
	// CIDEr 3.999
	// METEOR not computed: it needs METEOR 1.5's own data (--meteor DIR)
}
