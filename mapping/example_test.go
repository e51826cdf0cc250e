package mapping_test

import (
	"fmt"
	"log"

	G "gorgonia.org/gorgonia"

	"github.com/clipcap-go/clipcap/mapping"
	"github.com/clipcap-go/clipcap/nn"
)

// The paper's MLP, small: a feature of 6 numbers becomes a prefix of 4 rows of 8.
func ExampleNew() {
	mapper, err := mapping.New(mapping.Config{Kind: mapping.KindMLP, Feature: 6, Dim: 8, PrefixLength: 4})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := nn.Collect(mapping.Prefix, mapper); err != nil { // gives the weights their names
		log.Fatal(err)
	}
	mapper.Init(1)
	g := G.NewGraph()
	features := nn.NewInput(g, "features", nn.Float, 2, 6)
	prefix := mapper.Forward(features)
	m, err := nn.NewMachine(nn.NewCPU(nn.Float32), prefix)
	if err != nil {
		log.Fatal(err)
	}
	defer m.Close()
	if err := nn.Set(features, []float32{1, 0, 0, 0, 0, 0 /* */, 0, 1, 0, 0, 0, 0}); err != nil {
		log.Fatal(err)
	}
	if err := m.RunAll(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.Value(prefix).Shape())
	// Output: (8, 8)
}
