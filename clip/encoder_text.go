package clip

import (
	"context"
	"errors"
	"fmt"
)

var errNoText = errors.New("encode texts: the encoder was opened without its text side (Options.Text)")

// EncodeText turns texts into features [Dim] of the images' space, one a text, unnormalised. Without Options.Text and
// Options.Tokenizer it is an error; texts of more tokens than the encoder takes (ContextLength) are cut.
func (e *Encoder) EncodeText(ctx context.Context, texts []string) ([][]float32, error) {
	if e.model.Text == nil {
		return nil, errNoText
	}
	if e.options.Tokenizer == nil {
		return nil, errors.New("encode texts: no tokenizer (Options.Tokenizer)")
	}
	rows := make([][]int32, len(texts))
	for i, text := range texts {
		var err error
		if rows[i], err = e.options.Tokenizer.AppendRow(nil, text, e.model.Config.Text.Context, true); err != nil {
			return nil, fmt.Errorf("encode texts: text %d: %w", i, err)
		}
	}
	return e.EncodeIDs(ctx, rows)
}

// EncodeIDs turns rows of token ids into features [Dim], one a row. A row ends with its largest id, which the end token is; what
// follows, such as padding, does not count. An empty row, one longer than the encoder takes, and an id outside its vocabulary are errors.
func (e *Encoder) EncodeIDs(ctx context.Context, rows [][]int32) ([][]float32, error) {
	if e.model.Text == nil {
		return nil, errNoText
	}
	t := e.model.Config.Text
	for i, row := range rows {
		if len(row) == 0 || len(row) > t.Context {
			return nil, fmt.Errorf("encode texts: text %d has %d tokens, want 1 to %d", i, len(row), t.Context)
		}
		for _, id := range row {
			if id < 0 || int(id) >= t.Vocab {
				return nil, fmt.Errorf("encode texts: text %d has token %d, want 0 to %d", i, id, t.Vocab-1)
			}
		}
	}
	features := make([][]float32, 0, len(rows))
	for at := 0; at < len(rows); at += e.options.Batch {
		batch := rows[at:min(at+e.options.Batch, len(rows))]
		out, err := e.encodePacked(ctx, batch)
		if err != nil {
			return nil, fmt.Errorf("encode texts: %w", err)
		}
		features = append(features, split(out, len(batch))...)
	}
	return features, nil
}

// encodePacked runs the graph of a batch of rows.
func (e *Encoder) encodePacked(ctx context.Context, batch [][]int32) ([]float32, error) {
	n := 0
	for _, row := range batch {
		n += length(row)
	}
	key := graphKey{texts, capacity(n, e.options.Batch*e.model.Config.Text.Context)}
	return e.run(ctx, key, func(g *graph) error { return g.text.Set(batch) })
}
