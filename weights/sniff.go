package weights

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

type sniffed uint8

const (
	sniffPickle sniffed = iota
	sniffSafetensors
	sniffIndex
	sniffZip
	sniffNPY
)

// sniff tells what a file is from its first bytes.
func sniff(f *file) (sniffed, error) {
	if f.size == 0 {
		return 0, errors.New("the file is empty")
	}
	head, err := f.all().head(512)
	if err != nil {
		return 0, err
	}
	ext := strings.ToLower(filepath.Ext(f.name))
	text := strings.ToLower(string(bytes.TrimLeft(head, " \t\r\n\ufeff")))
	switch {
	case strings.HasPrefix(text, "<!doctype html"), strings.HasPrefix(text, "<html"), strings.HasPrefix(text, "<?xml"), strings.HasPrefix(text, "<head"):
		return 0, errors.New("this is a web page, not weights: the download was answered with a page (a confirmation, log-in or error page); download the file again")
	case strings.HasPrefix(text, "version https://git-lfs"):
		return 0, errors.New("this is a Git LFS pointer, not the file itself: fetch it with git lfs pull")
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return 0, errors.New("this is gzip-compressed: unpack it first")
	case len(head) >= 262 && string(head[257:262]) == "ustar":
		return 0, errors.New("this is a tar archive, as PyTorch before 0.1.10 wrote: not read")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return sniffZip, nil
	case bytes.HasPrefix(head, []byte("\x93NUMPY")):
		return sniffNPY, nil
	case ext == ".safetensors", looksSafetensors(head):
		return sniffSafetensors, nil
	case strings.HasPrefix(text, "{"):
		return sniffIndex, nil
	case head[0] == 0x80, ext == ".pkl", ext == ".pickle", ext == ".pt", ext == ".pth", ext == ".bin":
		return sniffPickle, nil
	}
	return 0, fmt.Errorf("starts with %q: not a format of tensors (safetensors, PyTorch, pickle, .npy, .npz)", head[:min(len(head), 8)])
}

// looksSafetensors tells whether head is a header length and a JSON object after it.
func looksSafetensors(head []byte) bool {
	return len(head) > 8 && head[8] == '{' && binary.LittleEndian.Uint64(head) <= maxHeader
}

// modelFiles are the names under which models are published, best first.
var modelFiles = []string{
	"model.safetensors", "model.safetensors.index.json", "open_clip_model.safetensors",
	"pytorch_model.bin", "pytorch_model.bin.index.json", "open_clip_pytorch_model.bin",
}

// inFolder turns a model's folder into the file in it that has the weights.
func inFolder(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() {
		return path, err
	}
	for _, name := range modelFiles {
		if p := filepath.Join(path, name); exists(p) {
			return p, nil
		}
	}
	return "", fmt.Errorf("%s: no weights in this folder: want one of %s", path, strings.Join(modelFiles, ", "))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
