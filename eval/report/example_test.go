package report_test

import (
	"context"
	"fmt"
	"os"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/eval/report"
	"github.com/clipcap-go/clipcap/eval/score"
)

func ExampleJSON() {
	pairs := []annotation.Pair{
		{Image: &annotation.Image{ID: "1", References: []string{"a dog runs"}}, Captions: []string{"A dog runs."}},
		{Image: &annotation.Image{ID: "2", References: []string{"a red bus"}}, Captions: []string{"a cat"}},
	}
	run, err := score.New(context.Background(), pairs, score.Options{Metrics: []string{"rouge"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := report.JSON(os.Stdout, &report.Report{Run: run}); err != nil {
		fmt.Println(err)
	}
	// Output: {"corpus":{"ROUGE_L":0.6930379746835443},"domains":{},"notes":[]}
}
