package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/clipcap-go/clipcap/eval/ptb"
	"github.com/clipcap-go/clipcap/internal/files"
)

// tokenize prints the tokens of each line of a file as the metrics see them. The lines are one stream, as a run's captions are;
// the newline that ends the last line is no part of it.
func tokenize(path string, w io.Writer) error {
	text, err := files.ReadAll(path, 1<<30)
	if err != nil {
		return fmt.Errorf("--tokenize: %w", err)
	}
	if len(text) == 0 {
		return nil
	}
	out := bufio.NewWriter(w)
	for _, line := range ptb.Final(ptb.Lines(strings.TrimSuffix(string(text), "\n"))) {
		out.WriteString(line)
		out.WriteByte('\n')
	}
	return out.Flush()
}
