package clipcap

import (
	"fmt"
	"os"
)

// locate is the file or folder of a model.
func locate(name string) (string, error) {
	if _, err := os.Stat(name); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	return name, nil
}
