// Command clipcap-eval scores captions as coco-caption does, and shows the tokens it scores.
package main

import "github.com/clipcap-go/clipcap/internal/cli"

func main() { cli.Main(program()) }

func program() *cli.Command {
	return &cli.Command{
		Name: "clipcap-eval",
		About: `clipcap-eval scores captions against human ones as coco-caption does, with no Java and no Python.

  clipcap-eval --annotations FILE --results FILE [flags]
  clipcap-eval --annotations FILE --model CHECKPOINT (--images DIR | --features SET) [flags]
  clipcap-eval --tokenize FILE.txt

Annotations are COCO's, Karpathy's dataset_coco.json, nocaps' or Conceptual Captions' (TSV) files, {"id": ["caption", …]}, or
image_id/caption objects in a list or a line each. Results are COCO's list, {"id": "caption"}, or what clipcap-caption --json prints.
Both may come through a pipe such as <(command).`,
		Example: `echo '{"1": ["a dog runs on grass", "the dog is running"], "2": ["a red bus", "a bus in the street"]}' > refs.json
echo '[{"image_id": 1, "caption": "A dog runs."}, {"image_id": 2, "caption": "A red bus in the street."}]' > results.json
clipcap-eval --annotations refs.json --results results.json`,
		Setup: setup,
	}
}
