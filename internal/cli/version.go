package cli

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
)

// version is set by a release build: -ldflags "-X github.com/clipcap-go/clipcap/internal/cli.version=v1.2.3".
var version string

// Version is the release, or the commit the program was built from, or "devel".
func Version() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	v, changed := "devel", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			v = "devel " + s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = " with changes"
		}
	}
	return v + changed
}

func printVersion(name string, w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s %s (%s, %s/%s)\n", name, Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}
