package fetch_test

import (
	"errors"
	"fmt"
	"os"

	"github.com/clipcap-go/clipcap/weights/fetch"
)

// A published name is looked up on this machine; nothing is downloaded.
func ExampleLocate() {
	for name, dir := range map[string]string{"CLIPCAP_HOME": "models-of-mine", "HOME": "nobody", "HF_HOME": "nothing"} {
		defer os.Setenv(name, os.Getenv(name))
		os.Setenv(name, dir)
	}
	_, err := fetch.Locate("ViT-B/32")
	var missing *fetch.Missing
	fmt.Println(errors.As(err, &missing), missing.Model.Files[0].Name)
	// Output: true ViT-B-32.pt
}
