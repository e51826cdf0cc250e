package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/clipcap-go/clipcap/internal/scenes"
)

// annotations is a COCO captions file.
type annotations struct {
	Info        struct{}   `json:"info"`
	Licenses    []struct{} `json:"licenses"`
	Images      []imageRow `json:"images"`
	Annotations []caption  `json:"annotations"`
}

type imageRow struct {
	ID       int    `json:"id"`
	FileName string `json:"file_name"`
	Width    int    `json:"width"`
	Height   int    `json:"height"`
}

type caption struct {
	ID      int    `json:"id"`
	ImageID int    `json:"image_id"`
	Caption string `json:"caption"`
}

func drawCommand(flags *flag.FlagSet) func() error {
	out := flags.String("out", "demo-out", "`folder` to write to")
	train := flags.Int("train", 4000, "scenes to train on")
	test := flags.Int("test", 200, "scenes to test on, each with a pair of colour and shape that training lacks")
	seed := flags.Uint64("seed", 1, "seed of the world")
	return func() error {
		r := rand.New(rand.NewPCG(*seed, 0))
		if err := world(filepath.Join(*out, "train"), r, *train, false); err != nil {
			return err
		}
		return world(filepath.Join(*out, "test"), r, *test, true)
	}
}

// world writes n scenes to dir, with or without held-out pairs, and their captions to dir.json.
func world(dir string, r *rand.Rand, n int, heldOut bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var a annotations
	for len(a.Images) < n {
		s := scenes.New(r)
		if s.HeldOut() != heldOut {
			continue
		}
		row := imageRow{ID: len(a.Images), FileName: fmt.Sprintf("%05d.png", len(a.Images)), Width: scenes.Size, Height: scenes.Size}
		a.Images = append(a.Images, row)
		for _, text := range s.Captions(r, 5) {
			a.Annotations = append(a.Annotations, caption{ID: len(a.Annotations), ImageID: row.ID, Caption: text})
		}
		if err := writePNG(filepath.Join(dir, row.FileName), s.Draw()); err != nil {
			return err
		}
	}
	text, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return os.WriteFile(dir+".json", text, 0o644)
}

func writePNG(path string, img image.Image) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(f, img); err != nil {
		f.Close()
		return fmt.Errorf("%s: %w", path, err)
	}
	return f.Close()
}
