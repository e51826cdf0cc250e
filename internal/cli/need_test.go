package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseErrorsNameTheFlagAndWhatItTakes(t *testing.T) {
	for args, want := range map[string]string{
		"--batch-size three":                "--batch-size \"three\": want a whole number (",
		"--batch-size=":                     "--batch-size \"\": want a whole number (",
		"--batch-size 99999999999999999999": "--batch-size \"99999999999999999999\": too large (",
		"--batch-size":                      "--batch-size has no value: want a whole number (",
		"--lr fast":                         "--lr \"fast\": want a number (",
		"--quick=perhaps":                   "--quick \"perhaps\": want true or false (",
		"--mode middle":                     "--mode \"middle\": want high, low (",
		"--bath-size 3":                     "--bath-size is not a flag of clipcap-echo (",
	} {
		if status, _, log := call(t, echo(), strings.Fields(args)...); status != 2 || !strings.HasPrefix(log, "clipcap-echo: "+want) || strings.Count(log, "\n") != 1 {
			t.Errorf("%s: status %d, %q, want %q", args, status, log, want)
		}
	}
}

func TestNeedFolderAndOutputs(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	locked := filepath.Join(dir, "locked")
	if err := os.Mkdir(locked, 0o555); err != nil {
		t.Fatal(err)
	}
	check := func(what string, err error, want string) {
		t.Helper()
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--out ")) {
			t.Errorf("%s: error %v, want %q", what, err, want)
		}
	}
	check("there", NeedFolder("out", dir), "")
	check("to be made", NeedFolder("out", filepath.Join(dir, "é a", "b")), "")
	check("a file", NeedFolder("out", file), file+" is a file, want a folder")
	check("below a file", NeedFolder("out", filepath.Join(file, "a", "b")), file+" is a file, want a folder")
	check("a new file", NeedOutputs("out", filepath.Join(dir, "new"), "other", ""), "")
	check("an old file", NeedOutputs("out", file), "")
	check("a folder", NeedOutputs("out", dir), "a folder, want a file")
	check("in no folder", NeedOutputs("out", filepath.Join(dir, "none", "new")), "none")
	check("below a file", NeedOutputs("out", filepath.Join(file, "new")), file)
	check("two files", NeedApart([]string{"out", "new", "html", ""}, []string{"in", file, "more", ""}), "")
	check("an input", NeedApart([]string{"other", "new", "out", dir + "/./" + filepath.Base(file)}, []string{"in", file}), "--out "+dir+"/./"+filepath.Base(file)+": the same file as --in")
	check("one file twice", NeedApart([]string{"out", "new", "html", "./new"}, nil), "--out new: the same file as --html")
	check("a device", NeedApart([]string{"out", os.DevNull, "html", os.DevNull}, nil), "")
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("looking has made something: %v (%v)", entries, err)
	}
	if os.Geteuid() == 0 {
		t.Skip("everything may be written to as root")
	}
	check("read-only", NeedFolder("out", locked), "nothing can be written")
	check("below read-only", NeedFolder("out", filepath.Join(locked, "a")), "nothing can be written")
	check("a file in read-only", NeedOutputs("out", filepath.Join(locked, "new")), "nothing can be written")
}
