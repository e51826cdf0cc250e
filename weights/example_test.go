package weights_test

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"

	"github.com/clipcap-go/clipcap/nn"
	"github.com/clipcap-go/clipcap/weights"
)

// A file is written whole or not at all, and opened by its content.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "weights")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "mapper.pt")
	item := weights.Floats("clip_project.weight", []int{2, 3}, []float32{1, 2, 3, 4, 5, 6}, weights.F16)
	err = weights.WriteFile(path, func(w io.Writer) error { return weights.WriteTorch(w, []weights.Item{item}) })
	if err != nil {
		log.Fatal(err)
	}
	s, err := weights.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()
	for _, t := range s.Tensors() {
		numbers, err := t.Float32s()
		fmt.Println(s.Container, t.Name, t.DType, t.Shape, numbers, err)
	}
	// Output: torch zip clip_project.weight F16 [2 3] [1 2 3 4 5 6] <nil>
}

// Parameters are bound by name, strictly: one error tells all that does not fit.
func ExampleLayout_Bind() {
	var file bytes.Buffer
	items := []weights.Item{weights.Floats("module.w", []int{2}, []float32{7, 8}, weights.F32), weights.Floats("module.old", []int{1}, []float32{0}, weights.F32)}
	if err := weights.WriteSafetensors(&file, nil, items); err != nil {
		log.Fatal(err)
	}
	s, err := weights.OpenReader("model.safetensors", bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		log.Fatal(err)
	}
	l, err := s.Map(func(name string) (weights.Place, bool) { return weights.Place{Param: name}, true })
	if err != nil {
		log.Fatal(err)
	}
	w, bias := nn.NewParam(2), nn.NewParam(2)
	w.Name, bias.Name = "w", "bias"
	fmt.Println(l.Bind(nn.Params{w, bias}))
	fmt.Println(l.Bind(nn.Params{w}, "old"), w.Data)
	// Output:
	// model.safetensors: the tensors do not fit the model: 1 missing: bias; 1 unused: module.old
	// <nil> [7 8]
}
