package fetch

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// Home is the folder of this project's models: $CLIPCAP_HOME, else "clipcap" in the user's cache folder.
func Home() (string, error) {
	if dir := os.Getenv("CLIPCAP_HOME"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("no folder for models: set CLIPCAP_HOME: %w", err)
	}
	return filepath.Join(dir, "clipcap"), nil
}

// Folder is where a model's files are kept.
func (m Model) Folder() (string, error) {
	home, err := Home()
	return filepath.Join(home, "models", folderName(m.Name)), err
}

// Missing is the error of Locate for a published model that is not on this machine.
type Missing struct {
	Model  Model
	Folder string // where its files belong
}

// Error says where the model was looked for and how to fetch it.
func (e *Missing) Error() string {
	return fmt.Sprintf("%s is not on this machine: fetch it with \"clipcap-weights fetch %s\", or put %s into %s by hand",
		e.Model.Name, e.Model.Name, e.Model.fileNames(), e.Folder)
}

func (m Model) fileNames() string {
	var names []string
	for _, f := range m.Files {
		names = append(names, f.Name)
	}
	return strings.Join(names, " and ")
}

// Locate turns what a user calls a model, a path or a published name, into the path of its weights. It looks into this project's folder,
// then where the Python programs leave the same files: Hugging Face's cache and ~/.cache/clip. It never downloads; for a
// published model that is not there the error is a [*Missing].
func Locate(name string) (string, error) {
	_, statErr := os.Stat(name)
	if statErr == nil {
		return name, nil
	}
	m, ok := Find(name)
	if !ok {
		if strings.ContainsAny(name, `/\`) || filepath.Ext(name) != "" {
			return "", statErr
		}
		return "", unknown(name)
	}
	return m.Locate()
}

// Locate finds the model's weights on this machine; see the function of that name.
func (m Model) Locate() (string, error) {
	own, err := m.Folder()
	if err != nil {
		return "", err
	}
	for _, dir := range append([]string{own}, m.elsewhere()...) {
		if path, ok := m.in(dir); ok {
			return path, nil
		}
	}
	return "", &Missing{m, own}
}

// in finds the model's weights in a folder that has all of its files. A size that is known must be right: a file of another length is
// half a download or something else. Older caches have a language model as pytorch_model.bin.
func (m Model) in(dir string) (string, bool) {
	has := func(name string, size int64) bool {
		info, err := os.Stat(filepath.Join(dir, name))
		return err == nil && info.Mode().IsRegular() && (size == 0 || info.Size() == size)
	}
	weights, rest := m.Files[0], m.Files[1:]
	for _, f := range rest {
		if !has(f.Name, f.Size) {
			return "", false
		}
	}
	if has(weights.Name, weights.Size) {
		return filepath.Join(dir, weights.Name), true
	}
	const older = "pytorch_model.bin"
	return filepath.Join(dir, older), m.Kind == "gpt2" && has(older, 0)
}

// elsewhere are folders in which other programs keep the model.
func (m Model) elsewhere() []string {
	home, err := os.UserHomeDir()
	if err != nil {
		return nil
	}
	if m.Kind == "clip" {
		return []string{filepath.Join(home, ".cache", "clip")}
	}
	var dirs []string
	for _, s := range m.Files[0].Sources {
		if s.Host != HuggingFace {
			continue
		}
		repository, rest, ok := strings.Cut(strings.TrimPrefix(s.Path, "/"), "/resolve/")
		revision, _, _ := strings.Cut(rest, "/")
		if !ok {
			continue
		}
		short := repository[strings.LastIndexByte(repository, '/')+1:] // as it was called before it had an owner
		for _, name := range []string{repository, short} {
			dirs = append(dirs, snapshots(filepath.Join(hubCache(home), "models--"+strings.ReplaceAll(name, "/", "--")), revision)...)
		}
	}
	return dirs
}

// hubCache is Hugging Face's cache of repositories.
func hubCache(home string) string {
	if dir := os.Getenv("HF_HUB_CACHE"); dir != "" {
		return dir
	}
	if dir := os.Getenv("HF_HOME"); dir != "" {
		return filepath.Join(dir, "hub")
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(dir, "huggingface", "hub")
	}
	return filepath.Join(home, ".cache", "huggingface", "hub")
}

// snapshots are the folders of a repository's revisions, the wanted one first, then the one its name points to now.
func snapshots(repository, revision string) []string {
	dir := filepath.Join(repository, "snapshots")
	first := []string{filepath.Join(dir, revision)}
	if ref, err := os.ReadFile(filepath.Join(repository, "refs", "main")); err == nil {
		if name := strings.TrimSpace(string(ref)); name != "" && filepath.IsLocal(name) {
			first = append(first, filepath.Join(dir, name))
		}
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	sort.Slice(entries, func(i, j int) bool { return entries[i].Name() < entries[j].Name() })
	for _, e := range entries {
		first = append(first, filepath.Join(dir, e.Name()))
	}
	return first
}
