package testkit

import (
	"os"
	"os/exec"
	"testing"
)

// asCommand is set in the environment of a test binary that is to be the command it tests.
const asCommand = "CLIPCAP_TEST_AS_COMMAND"

// Main is the TestMain of a command whose tests kill or interrupt it: it runs the tests, and in a process made by [Command] it runs the
// command's main.
func Main(m *testing.M, main func()) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// Command is the tested command as a process of its own, not yet started. It takes a TestMain that calls [Main].
func Command(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), asCommand+"=1")
	return c
}
