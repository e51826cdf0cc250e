// Command clipcap-caption writes captions for images, or for CLIP features that were extracted before.
package main

import "github.com/clipcap-go/clipcap/internal/cli"

func main() { cli.Main(program()) }

func program() *cli.Command {
	return &cli.Command{
		Name: "clipcap-caption",
		Args: "IMAGE…",
		About: `clipcap-caption writes captions for images.

  clipcap-caption --model CHECKPOINT|FILE.pt|PRESET [flags] IMAGE…
  clipcap-caption --model … --images SOURCE
  clipcap-caption --model … --features SET

An IMAGE is a file, a folder, or - for standard input: an image's bytes, or a list of files, a line each. A SOURCE is a folder, a
list, a TSV, tars, or an .npy of pixels; a SET is what clipcap-extract writes, a .npy file, or a feature pickle of the original.
An image or a list may also come through a pipe such as <(command); weights, sets, tables and tars must be regular files.
Presets are the original's published models: coco, conceptual and coco-transformer. Captions come in the order of the images;
an image that cannot be read (JPEG, PNG, GIF, WebP and BMP can) is reported, the others go on, and the exit status is 1.`,
		Example: `clipcap-weights fetch coco ViT-B/32   # once
clipcap-caption --model coco photo.jpg
clipcap-caption --model coco --decode sample --n 3 --top-p 0.9 --json photos/`,
		Setup: setup,
	}
}
