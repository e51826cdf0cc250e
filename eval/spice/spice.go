// Package spice runs the official program of SPICE (Anderson et al. 2016), which parses captions with Stanford's parser and cannot be
// had without Java and its jar. Nothing of it is computed here: another parser would give other scores under the same name.
package spice

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"unicode/utf16"
)

// ErrNoJava says that the jar is there and Java is not.
var ErrNoJava = errors.New("no java on the path")

// A Jar is the user's SPICE program.
type Jar struct {
	path, java string
}

// Open finds spice-1.0.jar in a folder (pycocoevalcap's spice folder), or takes the path of the jar itself, and finds Java. The parser's
// models lie in the folder lib beside the jar.
func Open(path string) (*Jar, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		jars, _ := filepath.Glob(filepath.Join(path, "spice-*.jar"))
		if len(jars) == 0 {
			return nil, fmt.Errorf("%s: no spice-1.0.jar in it", path)
		}
		path = jars[len(jars)-1]
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, fmt.Errorf("%w, which %s needs", ErrNoJava, path)
	}
	return &Jar{path, java}, nil
}

// maxOutput bounds the program's result file: it lists every tuple of every caption.
const maxOutput = 4 << 30

// Score returns the F-measure of each image's candidate against its references, both as tokens of package ptb. The corpus score is the
// mean. An image the program gives no number is scored 0 and counted in unscored.
func (j *Jar) Score(ctx context.Context, candidates []string, references [][]string) (scores []float64, unscored int, err error) {
	if len(candidates) != len(references) {
		return nil, 0, fmt.Errorf("spice: %d candidates but references of %d images", len(candidates), len(references))
	}
	dir, err := os.MkdirTemp("", "clipcap-spice-")
	if err != nil {
		return nil, 0, err
	}
	defer os.RemoveAll(dir)
	in, out := filepath.Join(dir, "in.json"), filepath.Join(dir, "out.json")
	if err := writeInput(in, candidates, references); err != nil {
		return nil, 0, err
	}
	cmd := exec.CommandContext(ctx, j.java, "-jar", "-Xmx8G", j.path, in, "-cache", filepath.Join(dir, "cache"), "-out", out, "-subset", "-silent")
	cmd.Dir = filepath.Dir(j.path)
	if err := os.Mkdir(filepath.Join(dir, "cache"), 0o755); err != nil {
		return nil, 0, err
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return nil, 0, fmt.Errorf("spice: %w: %s", err, complaint(said.Bytes()))
	}
	return readOutput(out, len(candidates))
}

// writeInput writes what the program reads; images are numbered, since it wants them in the order of their ids.
func writeInput(path string, candidates []string, references [][]string) error {
	type image struct {
		ID   int      `json:"image_id"`
		Test string   `json:"test"`
		Refs []string `json:"refs"`
	}
	images := make([]image, len(candidates))
	for i := range images {
		images[i] = image{i, candidates[i], references[i]}
	}
	text, err := json.Marshal(images)
	if err != nil {
		return err
	}
	return os.WriteFile(path, ascii(text), 0o600)
}

// ascii escapes every other character of a JSON text, as the published wrapper writes it: Java reads the file in the locale's encoding.
func ascii(text []byte) []byte {
	var out []byte
	for _, r := range string(text) {
		switch {
		case r < 0x80:
			out = append(out, byte(r))
		default:
			for _, u := range utf16.AppendRune(nil, r) {
				out = fmt.Appendf(out, "\\u%04x", u)
			}
		}
	}
	return out
}

// readOutput reads what the program wrote about n images.
func readOutput(path string, n int) (scores []float64, unscored int, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, 0, fmt.Errorf("spice: it wrote no result: %w", err)
	}
	if info.Size() > maxOutput {
		return nil, 0, fmt.Errorf("spice: a result of %d bytes, the limit is %d", info.Size(), int64(maxOutput))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, err
	}
	return parseOutput(text, n)
}

// parseOutput takes the scores of n images out of the program's result.
func parseOutput(text []byte, n int) (scores []float64, unscored int, err error) {
	var images []struct {
		ID     *int `json:"image_id"`
		Scores struct {
			All struct {
				F *float64 `json:"f"`
			}
		} `json:"scores"`
	}
	if err := json.Unmarshal(text, &images); err != nil {
		return nil, 0, fmt.Errorf("spice: its result: %w", err)
	}
	scores, seen := make([]float64, n), make([]bool, n)
	for _, im := range images {
		if im.ID == nil || *im.ID < 0 || *im.ID >= n || seen[*im.ID] {
			return nil, 0, errors.New("spice: its result holds an image that it was not given, or one twice")
		}
		seen[*im.ID] = true
		if im.Scores.All.F == nil {
			unscored++
			continue
		}
		scores[*im.ID] = *im.Scores.All.F
	}
	if len(images) != n {
		return nil, 0, fmt.Errorf("spice: its result holds %d images, want %d", len(images), n)
	}
	return scores, unscored, nil
}

// complaint is the line of the program's words that names the cause: the one before a stack trace begins, else the last.
func complaint(said []byte) string {
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	line := lines[len(lines)-1]
	for i, l := range lines {
		if i > 0 && strings.HasPrefix(l, "\tat ") {
			line = lines[i-1]
			break
		}
	}
	if line = strings.TrimSpace(line); strings.Contains(line, "NoClassDefFoundError: edu/stanford") {
		line += " (Stanford CoreNLP 3.6.0 and its models belong into the folder lib beside the jar)"
	}
	return line[:min(len(line), 300)]
}
