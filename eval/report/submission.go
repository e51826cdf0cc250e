package report

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/internal/files"
)

// Submission writes a result file as evaluation servers take it, COCO's list of image_id and caption in the order of the images. A path
// that ends in .zip gets the archive of the COCO server: the list under the name captions_SET_ALG_results.json, where SET comes from the
// images' file names and ALG from the archive's; other lists that the archive has already are kept, since the server wants val2014's and
// test2014's in one.
func Submission(path string, images []annotation.Pair) error {
	var list bytes.Buffer
	if err := resultList(&list, images); err != nil {
		return err
	}
	if !isArchive(path) {
		return files.Replace(path, func(w io.Writer) error {
			_, err := w.Write(list.Bytes())
			return err
		})
	}
	name, err := serverName(path, images)
	if err != nil {
		return err
	}
	return addToArchive(path, name, list.Bytes())
}

// CheckSubmission finds what Submission would refuse for these images, before there are captions.
func CheckSubmission(path string, images []annotation.Image) error {
	if !isArchive(path) {
		return nil
	}
	var pairs []annotation.Pair
	for i := range images {
		pairs = append(pairs, annotation.Pair{Image: &images[i]})
	}
	name, err := serverName(path, pairs)
	if err == nil {
		_, err = archived(path, name)
	}
	return err
}

func isArchive(path string) bool { return strings.EqualFold(filepath.Ext(path), ".zip") }

// resultList writes COCO's result list, an image a line.
func resultList(w io.Writer, images []annotation.Pair) error {
	out := bufio.NewWriter(w)
	before := "[\n"
	for _, p := range images {
		var b bytes.Buffer
		if err := encode(&b, struct {
			ID      annotation.ID `json:"image_id"`
			Caption string        `json:"caption"`
		}{p.ID, p.Captions[0]}); err != nil {
			return err
		}
		out.WriteString(before)
		out.Write(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
		before = ",\n"
	}
	out.WriteString("\n]\n")
	return out.Flush()
}

var cocoName = regexp.MustCompile(`^COCO_((?:train|val|test)\d{4})_\d+\.`)

// serverName is the name that the COCO server wants for a list.
func serverName(path string, images []annotation.Pair) (string, error) {
	set := ""
	for _, p := range images {
		m := cocoName.FindStringSubmatch(p.File)
		if m == nil {
			return "", fmt.Errorf("image id %s: its file is called %q; the COCO server's archive needs the 2014 sets' names, COCO_val2014_….jpg, to name its list (an archive is for that server only: use FILE.json)", p.ID, p.File)
		}
		if set != "" && m[1] != set {
			return "", fmt.Errorf("images of %s and of %s: the COCO server wants a list for each", set, m[1])
		}
		set = m[1]
	}
	alg := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	return "captions_" + set + "_" + alg + "_results.json", nil
}

// maxArchived bounds what is kept of an archive; the two lists have about 5 MB.
const maxArchived = 1 << 30

// addToArchive writes name into the archive, which is made if there is none; its other files stay.
func addToArchive(path, name string, text []byte) error {
	kept, err := archived(path, name)
	if err != nil {
		return err
	}
	return files.Replace(path, func(w io.Writer) error {
		z := zip.NewWriter(w)
		for _, f := range append(kept, file{name, text}) {
			out, err := z.Create(f.name)
			if err != nil {
				return err
			}
			if _, err := out.Write(f.text); err != nil {
				return err
			}
		}
		return z.Close()
	})
}

type file struct {
	name string
	text []byte
}

// archived reads an archive's files but one.
func archived(path, but string) ([]file, error) {
	z, err := zip.OpenReader(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("%s: exists and is no archive to add to: %w", path, err)
	}
	defer z.Close()
	var all []file
	left := int64(maxArchived)
	for _, f := range z.File {
		if f.Name == but {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, f.Name, err)
		}
		text, err := io.ReadAll(io.LimitReader(r, left+1))
		r.Close()
		if left -= int64(len(text)); err == nil && left < 0 {
			err = fmt.Errorf("more than %d bytes in the archive", int64(maxArchived))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", path, f.Name, err)
		}
		all = append(all, file{f.Name, text})
	}
	return all, nil
}
