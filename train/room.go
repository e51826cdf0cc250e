package train

import "fmt"

// Room is an error where the file system of a folder has less than need bytes free. Where the system does not tell, there is room.
func Room(dir string, need int64) error {
	if free, ok := freeBytes(dir); ok && free < need {
		return fmt.Errorf("%s: %.3g GB free on its disk, %.3g GB needed", dir, float64(free)/1e9, float64(need)/1e9)
	}
	return nil
}
