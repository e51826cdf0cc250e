package meteor_test

import (
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"

	"github.com/clipcap-go/clipcap/eval/meteor"
)

// The data are METEOR's; here a few words stand in for them.
func Example() {
	dir, err := standIn()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	d, err := meteor.Open(dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	stats, err := d.Score([]string{"a kid rides", "a red bus"}, [][]string{{"the child rides", "a child riding a bike"}, {"a red bus"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	var sum meteor.Stats
	for _, s := range stats {
		fmt.Printf("%.3f\n", s.Score())
		sum.Add(s)
	}
	fmt.Printf("corpus %.3f\n", sum.Score())
	// Output:
	// 0.368
	// 1.000
	// corpus 0.501
}

func standIn() (string, error) {
	dir, err := os.MkdirTemp("", "meteor")
	if err != nil {
		return "", err
	}
	for name, text := range map[string]string{
		"resources/function/english.words":       "a\nthe\n",
		"resources/nonbreaking/english.prefixes": "Mr\n",
		"resources/synonym/english.synsets":      "child\n1\nkid\n1\n",
		"resources/synonym/english.exceptions":   "child\nchildren\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return "", err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return "", err
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o755); err != nil {
		return "", err
	}
	f, err := os.Create(filepath.Join(dir, "data", "paraphrase-en.gz"))
	if err != nil {
		return "", err
	}
	defer f.Close()
	z := gzip.NewWriter(f)
	if _, err := z.Write([]byte("0.5\nin front of\nbefore\n")); err != nil {
		return "", err
	}
	return dir, z.Close()
}
