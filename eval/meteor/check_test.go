package meteor

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/clipcap-go/clipcap/internal/testkit"
)

// standIn puts a script in Java's place.
func standIn(t *testing.T, script string) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in for java is a shell script")
	}
	bin := t.TempDir()
	writeFile(t, filepath.Join(bin, "java"), []byte("#!/bin/sh\n"+script))
	if err := os.Chmod(filepath.Join(bin, "java"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// The program is asked a line for each image, references first, and its answers are compared with ours.
func TestCheckAgainst(t *testing.T) {
	candidates, references := []string{"the dog", "a  |||car"}, [][]string{{"the dog", "x"}, {"automobile"}}
	d := small(t)
	ours, err := d.Score(candidates, references)
	if err != nil {
		t.Fatal(err)
	}
	asked := filepath.Join(t.TempDir(), "asked")
	for _, c := range []struct {
		second string
		want   Check
	}{
		{ours[1].String(), Check{Images: 2, First: -1}},
		{ours[0].String(), Check{Images: 2, Different: 1, First: 1, Ours: ours[1].String(), Theirs: ours[0].String()}},
	} {
		standIn(t, "read -r a; echo \"$a\" >"+asked+"; echo "+ours[0].String()+"; read -r b; echo \"$b\" >>"+asked+"; echo "+c.second+"\n")
		got, err := d.CheckAgainst(t.Context(), "meteor.jar", candidates, references)
		if err != nil || *got != c.want {
			t.Errorf("%+v, %v; want %+v", got, err, c.want)
		}
		text, _ := os.ReadFile(asked)
		if want := "SCORE ||| the dog ||| x ||| the dog\nSCORE ||| automobile ||| a car\n"; string(text) != want {
			t.Errorf("asked %q, want %q", text, want)
		}
	}
	for script, want := range map[string]string{
		"echo no memory >&2; exit 1":            "no memory",
		"echo 1.0 2.0; cat >/dev/null":          "want 23 numbers",
		"echo " + ours[0].String() + "; exit 0": "answered for 1 of 2",
	} {
		standIn(t, script+"\n")
		if _, err := d.CheckAgainst(t.Context(), "meteor.jar", candidates, references); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", script, err, want)
		}
	}
}

// The statistics are those of METEOR's own jar with its own table, where CLIPCAP_PYCOCOEVALCAP names pycocoevalcap's folder.
func TestOfficialMETEOR(t *testing.T) {
	dir := os.Getenv("CLIPCAP_PYCOCOEVALCAP")
	if dir == "" {
		t.Skip("CLIPCAP_PYCOCOEVALCAP does not name pycocoevalcap's folder")
	}
	d, err := Open(filepath.Join(dir, "meteor"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"human_first", "other_image", "perturbed", "edge"} {
		var g struct {
			TokRefs  [][]string `json:"tok_refs"`
			TokCands []string   `json:"tok_cands"`
		}
		testkit.GoldenJSON(t, "captions/scores_"+name+".json.gz", &g)
		c, err := d.CheckAgainst(t.Context(), filepath.Join(dir, "meteor", "meteor-1.5.jar"), g.TokCands, g.TokRefs)
		if err != nil {
			t.Fatal(err)
		}
		if c.Different > 0 {
			t.Errorf("%s: %+v", name, *c)
		}
		t.Logf("%s: %d of %d differ", name, c.Different, c.Images)
	}
}
