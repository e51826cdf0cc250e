package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

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
