// Command clipcap-train fits a mapper, and GPT-2 with it where wanted, to captions and image features.
package main

import "github.com/clipcap-go/clipcap/internal/cli"

func main() { cli.Main(program()) }

func program() *cli.Command {
	return &cli.Command{
		Name: "clipcap-train",
		About: `clipcap-train fits a mapper, and GPT-2 with it unless --frozen-lm says otherwise, to captions and image features.

  clipcap-train --features SET --captions FILE --out DIR [flags]
  clipcap-train --recipe NAME --features SET --captions FILE --out DIR
  clipcap-train … --out DIR --resume

Features are a folder of clipcap-extract's, a .npy file, or a feature pickle of the original, which brings its captions along. Captions
are COCO's, Karpathy's dataset_coco.json, nocaps', Conceptual Captions' (TSV), the original's flat list, or JSON lines; they may come
through a pipe such as <(command).
DIR becomes a checkpoint that clipcap-caption opens, with log.jsonl, report.html and TensorBoard events beside it. An interrupt finishes
the step, writes a checkpoint and ends with status 0.`,
		Example: `clipcap-train --features coco-features --captions dataset_coco.json --out coco-frozen --recipe coco-transformer-frozen --dry-run`,
		Setup:   setup,
	}
}
