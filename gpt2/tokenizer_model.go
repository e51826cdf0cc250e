package gpt2

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/clipcap-go/clipcap/weights"
)

// TokenizerOf is the tokenizer that belongs to a model as Open names it: the vocabulary in its folder, or in the folder
// of its file or of a random model's configuration, else the published one.
func TokenizerOf(name string) (*Tokenizer, error) {
	if dir := folderOf(name); dir != "" {
		t, err := OpenTokenizer(dir)
		if !errors.Is(err, fs.ErrNotExist) {
			return t, err
		}
	}
	return DefaultTokenizer()
}

// folderOf is the folder that holds a model's vocabulary, if any does.
func folderOf(name string) string {
	path, random := strings.CutPrefix(name, "random:")
	if random {
		if _, err := Published(path); err == nil {
			return ""
		}
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		return filepath.Dir(path)
	}
	return path
}

// CopyVocabulary copies the vocabulary of a model, as Open names it, into a folder; a model with the published one has
// none to copy.
func CopyVocabulary(name, dir string) error {
	from := folderOf(name)
	for _, names := range vocabFiles {
		if from == "" || !isFile(filepath.Join(from, names[0])) || !isFile(filepath.Join(from, names[1])) {
			continue
		}
		for _, file := range names {
			if err := copyFile(filepath.Join(from, file), filepath.Join(dir, file)); err != nil {
				return fmt.Errorf("copy GPT-2 vocabulary: %w", err)
			}
		}
		return nil
	}
	return nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func copyFile(from, to string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	return weights.WriteFile(to, func(w io.Writer) error {
		n, err := io.Copy(w, io.LimitReader(f, maxFile+1))
		if err == nil && n > maxFile {
			err = fmt.Errorf("%s: longer than %d MB", from, maxFile>>20)
		}
		return err
	})
}
