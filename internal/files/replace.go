package files

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Replace writes a file so that its name never stands for half of it: under a temporary name in the same folder, synced, then renamed.
// On an error nothing is left of it, and what was there before stays. What [Direct] opens is written to where it is.
func Replace(path string, write func(w io.Writer) error) (err error) {
	if direct, err := Direct(path); err != nil {
		return err
	} else if direct != nil {
		return writeDirect(direct, write)
	}
	dir, base := filepath.Split(path)
	if dir == "" {
		dir = "."
	}
	f, err := os.CreateTemp(dir, "."+base+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	out := bufio.NewWriterSize(f, 1<<20)
	if err := write(out); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if err := f.Chmod(0o644); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	SyncDir(dir)
	return nil
}

// writeDirect writes to an open file and closes it; errors name it.
func writeDirect(f *os.File, write func(w io.Writer) error) error {
	out := bufio.NewWriterSize(f, 1<<20)
	err := write(out)
	if err == nil {
		err = out.Flush()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return Named(f.Name(), err)
}

// SyncDir makes a renaming in a folder last, on systems that can.
func SyncDir(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
}

// Direct opens a path that is written to where it is instead of being replaced by a new file of its name: a device such as /dev/null, a
// pipe such as a shell's >(command), or a symbolic link. It is nil for a regular file and where there is nothing; a folder is an error.
func Direct(path string) (*os.File, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case info.Mode().IsRegular():
		return nil, nil
	}
	if to, err := os.Stat(path); err == nil && to.IsDir() {
		return nil, &fs.PathError{Op: "write", Path: path, Err: fmt.Errorf("is a folder, want a file")}
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|nonblock, 0o644)
}
