package train

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/clipcap-go/clipcap/internal/files"
)

// Claim keeps other processes out of a run's folder, which is made where it is missing: two runs in one folder would mix up their logs
// and checkpoints. A folder that another one has claimed is an error. A claim ends with Close, or with the process, in whatever way that
// ends; one that is killed leaves LockFile behind, which claims nothing then.
func Claim(dir string) (io.Closer, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	l, err := files.TakeLock(filepath.Join(dir, LockFile))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return l, nil
}
