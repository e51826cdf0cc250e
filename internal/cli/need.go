package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// NeedFiles checks that the files or folders that flags name exist, before work starts: pairs of a flag's name and its value; an empty value
// names none.
func NeedFiles(pairs ...string) error {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		if _, err := os.Stat(pairs[i+1]); err != nil {
			return fmt.Errorf("--%s: %w", pairs[i], err)
		}
	}
	return nil
}

// NeedFolder checks that the folder that a flag names is there to write to, or can be made, before work starts.
func NeedFolder(name, path string) error {
	err := folder(path)
	if err != nil {
		return fmt.Errorf("--%s %s: %w", name, path, err)
	}
	return nil
}

// folder goes up to what is there of a path.
func folder(path string) error {
	for at := filepath.Clean(path); ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		switch {
		case errors.Is(err, fs.ErrNotExist) && at != filepath.Dir(at):
			continue
		case err != nil && !notFolder(err):
			return errors.Unwrap(err)
		case err != nil:
			continue // what is above at is the file in the way
		case !info.IsDir():
			return fmt.Errorf("%s is a file, want a folder", at)
		}
		if err := writable(at); err != nil {
			return fmt.Errorf("nothing can be written to %s: %w", at, err)
		}
		return nil
	}
}

// NeedOutputs checks that the files that flags name can be written, before work starts: pairs as NeedFiles has them. Their folders must
// be there.
func NeedOutputs(pairs ...string) error {
	for i := 0; i+1 < len(pairs); i += 2 {
		name, path := pairs[i], pairs[i+1]
		if path == "" {
			continue
		}
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return fmt.Errorf("--%s %s: a folder, want a file to write", name, path)
		} else if err == nil && !info.Mode().IsRegular() {
			continue // a device or a pipe is written to where it is
		}
		dir := filepath.Dir(path)
		if info, err := os.Stat(dir); err != nil {
			return fmt.Errorf("--%s %s: %w", name, path, err)
		} else if !info.IsDir() {
			return fmt.Errorf("--%s %s: %s is a file, want a folder", name, path, dir)
		}
		if err := writable(dir); err != nil {
			return fmt.Errorf("--%s %s: nothing can be written to %s: %w", name, path, dir, err)
		}
	}
	return nil
}

// NeedApart checks that no file that a flag writes is one that another reads or writes, before it is lost: pairs as NeedFiles has them.
func NeedApart(outputs, inputs []string) error {
	for i := 0; i+1 < len(outputs); i += 2 {
		others := slices.Concat(outputs[i+2:], inputs)
		for j := 0; j+1 < len(others); j += 2 {
			if sameFile(outputs[i+1], others[j+1]) {
				return fmt.Errorf("--%s %s: the same file as --%s", outputs[i], outputs[i+1], others[j])
			}
		}
	}
	return nil
}

// sameFile tells whether two paths lead to one regular file, which need not be there yet.
func sameFile(a, b string) bool {
	if a == "" || b == "" {
		return false
	}
	first, err := os.Stat(a)
	if err != nil {
		return filepath.Clean(a) == filepath.Clean(b)
	}
	second, err := os.Stat(b)
	return err == nil && first.Mode().IsRegular() && os.SameFile(first, second)
}
