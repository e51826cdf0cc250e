package meteor

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
)

// String is the statistics as METEOR's own program writes them: 23 numbers, candidate before reference in each pair.
func (s Stats) String() string {
	c, r := &s.Candidate, &s.Reference
	numbers := []int{c.Words, r.Words, c.Function, r.Function}
	for m := range modules {
		numbers = append(numbers, c.ContentMatched[m], r.ContentMatched[m], c.FunctionMatched[m], r.FunctionMatched[m])
	}
	numbers = append(numbers, s.Chunks, c.total(), r.total())
	var out strings.Builder
	for _, n := range numbers {
		fmt.Fprintf(&out, " %d.0", n)
	}
	return out.String()[1:]
}

// A Check compares our statistics with those of METEOR's own program.
type Check struct {
	Images, Different int
	First             int    // the first image that differs, -1 if none does
	Ours, Theirs      string // its statistics
}

// CheckAgainst runs METEOR's jar with Java on the captions, as coco-caption does, and compares its statistics with ours.
func (d *Data) CheckAgainst(ctx context.Context, jar string, candidates []string, references [][]string) (*Check, error) {
	ours, err := d.Score(candidates, references)
	if err != nil {
		return nil, err
	}
	jar, err = filepath.Abs(jar)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	cmd := exec.CommandContext(ctx, "java", "-Xmx2G", "-Dfile.encoding=UTF-8", "-jar", jar, "-", "-", "-stdio", "-l", "en", "-norm")
	cmd.Dir = filepath.Dir(jar)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer in.Close()
		ask(in, candidates, references)
	}()
	check, err := compareLines(out, ours)
	stop()
	if waited := cmd.Wait(); err != nil {
		return nil, fmt.Errorf("%s: %w (%v; it said %.200q)", jar, err, waited, said.String())
	}
	return check, nil
}

// ask writes a line for each image, as coco-caption asks for its statistics. Where the program is gone, so is the reader of the error.
func ask(w io.Writer, candidates []string, references [][]string) {
	out := bufio.NewWriter(w)
	for i, c := range candidates {
		c = strings.ReplaceAll(strings.ReplaceAll(c, "|||", ""), "  ", " ")
		fmt.Fprintf(out, "SCORE ||| %s ||| %s\n", strings.Join(references[i], " ||| "), c)
		if out.Flush() != nil {
			return
		}
	}
}

// compareLines reads a line of statistics for each of ours.
func compareLines(r io.Reader, ours []Stats) (*Check, error) {
	check := &Check{Images: len(ours), First: -1}
	lines := bufio.NewScanner(r)
	for i, s := range ours {
		if !lines.Scan() {
			return nil, fmt.Errorf("it answered for %d of %d images", i, len(ours))
		}
		theirs := strings.Fields(lines.Text())
		if len(theirs) < 23 {
			return nil, fmt.Errorf("its answer for image %d is %.200q, want 23 numbers", i, lines.Text())
		}
		if line := strings.Join(theirs[:23], " "); line != s.String() {
			if check.Different == 0 {
				check.First, check.Ours, check.Theirs = i, s.String(), line
			}
			check.Different++
		}
	}
	return check, nil
}
