package spice

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// fakeJava puts a script in Java's place and a jar in a folder, and opens the folder.
func fakeJava(t *testing.T, script string) *Jar {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in for java is a shell script")
	}
	bin, dir := t.TempDir(), t.TempDir()
	write(t, filepath.Join(bin, "java"), "#!/bin/sh\n"+script)
	if err := os.Chmod(filepath.Join(bin, "java"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "spice-1.0.jar"), "")
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	j, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The program gets the arguments the published wrapper gives it and the tokens, and its numbers come back in the images' order.
func TestScore(t *testing.T) {
	j := fakeJava(t, `
[ "$1 $2" = "-jar -Xmx8G" ] && [ "$5" = -cache ] && [ -d "$6" ] && [ "$7" = -out ] && [ "$9" = -subset ] || { echo "arguments: $*" >&2; exit 3; }
grep -q '{"image_id":0,"test":"","refs":\["a caf\\u00e9 \\ud83d\\ude00"\]}' "$4" || { echo "input: $(cat "$4")" >&2; exit 5; }
grep -q '{"image_id":1,"test":"a dog","refs":\["the dog","dogs"\]}' "$4" || { echo "input: $(cat "$4")" >&2; exit 4; }
echo '[{"image_id":1,"scores":{"All":{"pr":1,"re":0.5,"f":0.25}}},{"image_id":0,"scores":{"All":{"f":null}}}]' > "$8"
`)
	scores, unscored, err := j.Score(t.Context(), []string{"", "a dog"}, [][]string{{"a café 😀"}, {"the dog", "dogs"}})
	if err != nil || unscored != 1 || !slices.Equal(scores, []float64{0, 0.25}) {
		t.Errorf("%v, %d, %v", scores, unscored, err)
	}
}

func TestErrors(t *testing.T) {
	for script, want := range map[string]string{
		"echo first; echo out of heap >&2; exit 1": "out of heap",
		"printf 'warming up\\nException in thread \"main\" NoClassDefFoundError: edu/stanford/nlp/X\\n\\tat a.b(C:1)\\nCaused by: d\\n\\t... 3 more\\n' >&2; exit 1": "edu/stanford/nlp/X (Stanford CoreNLP 3.6.0",
		"exit 0":                             "wrote no result",
		"echo '[]' > \"$8\"":                 "0 images, want 1",
		"echo '[{\"image_id\":7}]' > \"$8\"": "not given",
		"echo '{' > \"$8\"":                  "result",
		"echo '[{\"image_id\":0,\"scores\":{\"All\":{\"f\":\"x\"}}}]' > \"$8\"": "result",
	} {
		j := fakeJava(t, script)
		if _, _, err := j.Score(t.Context(), []string{"a"}, [][]string{{"b"}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", script, err, want)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "spice-1.0.jar") {
		t.Error(err)
	}
	write(t, filepath.Join(dir, "spice-1.0.jar"), "")
	t.Setenv("PATH", dir)
	if _, err := Open(dir); !errors.Is(err, ErrNoJava) {
		t.Error(err)
	}
}

func FuzzParseOutput(f *testing.F) {
	f.Add([]byte(`[{"image_id":0,"scores":{"All":{"f":0.5}}},{"image_id":1,"scores":{"All":{"f":null}}}]`))
	f.Add([]byte(`[{"image_id":2}]`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, text []byte) {
		scores, unscored, err := parseOutput(text, 2)
		if err == nil && (len(scores) != 2 || unscored > 2) {
			t.Fatalf("%d scores, %d unscored", len(scores), unscored)
		}
	})
}
