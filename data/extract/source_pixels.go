package extract

import (
	"fmt"
	"strconv"

	"github.com/clipcap-go/clipcap/data/annotation"
	"github.com/clipcap-go/clipcap/weights"
)

// pixels is a .npy of float32 [n, 3, size, size], already normalised. A row's number is its id.
type pixels struct {
	store  *weights.Store
	tensor *weights.Tensor
	size   int
}

func openPixels(path string) (Source, error) {
	s, err := weights.Open(path)
	if err != nil {
		return nil, err
	}
	t := s.Tensors()[0]
	if len(t.Shape) != 4 || t.Shape[1] != 3 || t.Shape[2] != t.Shape[3] || t.Shape[2] < 1 || !t.DType.Float() {
		s.Close()
		return nil, fmt.Errorf("%s %v, want normalised pixels: float32 [n, 3, size, size]", t.DType, t.Shape)
	}
	return &pixels{s, t, t.Shape[2]}, nil
}

func (p *pixels) Len() int { return p.tensor.Shape[0] }

func (p *pixels) Close() error { return p.store.Close() }

func (p *pixels) Items(from, to int) ([]Item, error) {
	items := make([]Item, to-from)
	for i := range items {
		row := from + i
		items[i] = Item{ID: annotation.ID(strconv.Itoa(row)), pixels: func() ([]float32, error) {
			t, err := p.tensor.Rows(row, row+1)
			if err != nil {
				return nil, err
			}
			return t.Float32s()
		}}
	}
	return items, nil
}
