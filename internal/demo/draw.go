package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"

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
	test := flags.Int("test", 200, "scenes to test on, each with a pair of colour and shape, or of shapes in a relation, that training lacks")
	seed := flags.Uint64("seed", 1, "seed of the world")
	return func() error {
		r := rand.New(rand.NewPCG(*seed, 0))
		if err := encoder(filepath.Join(*out, "clip"), *seed); err != nil {
			return err
		}
		captions, err := world(filepath.Join(*out, "train"), r, *train, false)
		if err != nil {
			return err
		}
		if err := languageModel(filepath.Join(*out, "gpt2"), captions); err != nil {
			return err
		}
		_, err = world(filepath.Join(*out, "test"), r, *test, true)
		return err
	}
}

// world writes n scenes to dir, those of held-out combinations, as many of each kind, or the others, and their captions to dir.json.
func world(dir string, r *rand.Rand, n int, heldOut bool) (captions []string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	var a annotations
	var all []scenes.Scene
	for len(a.Images) < n {
		s := scenes.New(r)
		if s.HeldOut() != heldOut || heldOut && s.Kind != scenes.Kind(len(all)%3) {
			continue
		}
		row := imageRow{ID: len(a.Images), FileName: fmt.Sprintf("%05d.png", len(a.Images)), Width: scenes.Size, Height: scenes.Size}
		a.Images = append(a.Images, row)
		for _, text := range s.Captions(r, 5) {
			a.Annotations = append(a.Annotations, caption{ID: len(a.Annotations), ImageID: row.ID, Caption: text})
			captions = append(captions, text)
		}
		all = append(all, s)
	}
	if err := drawAll(dir, a.Images, all); err != nil {
		return nil, err
	}
	text, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	return captions, os.WriteFile(dir+".json", text, 0o644)
}

// drawAll writes the pictures, on all cores.
func drawAll(dir string, rows []imageRow, all []scenes.Scene) error {
	workers := runtime.GOMAXPROCS(0)
	errs := make([]error, workers)
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := w; i < len(all) && errs[w] == nil; i += workers {
				errs[w] = writePNG(filepath.Join(dir, rows[i].FileName), all[i].Draw())
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
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
